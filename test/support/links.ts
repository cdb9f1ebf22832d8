/** Relative links of Markdown pages that lead nowhere. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/**
 * Those of a page, as `PAGE → TARGET`: no such file below `root`, or no such heading in it. `path` is the page's, from
 * `root`; what stands between backquotes is code and no link.
 */
export function brokenLinks(root: string, path: string, text: string): string[] {
  const prose = text
    .replaceAll(/```[\s\S]*?```/g, '')
    .replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(']', ' '));
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '');
  return targets
    .filter((target) => !/^[a-z]+:/.test(target) && !leadsSomewhere(root, path, text, target))
    .map((target) => `${path} → ${target}`);
}

function leadsSomewhere(root: string, path: string, text: string, target: string): boolean {
  const [file = '', heading] = target.split('#');
  const at = file === '' ? path : normalize(join(dirname(path), file));
  if (file !== '' && (at.startsWith('..') || !existsSync(join(root, at)))) return false;
  if (heading === undefined) return true;
  return headingsOf(file === '' ? text : readFileSync(join(root, at), 'utf8')).includes(heading);
}

/** The anchors that a Markdown page gets for its headings. */
function headingsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  );
}
