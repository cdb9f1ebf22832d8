/** Which items of a list are read as a program, by whatever stands before them. */
import { describe, expect, test } from 'vitest';
import { placeProblem } from '../../src/config/argument-places.ts';

const NAMES = new Set(['X']);
const problem = (line: string) => {
  const command = line.split(' ');
  return placeProblem(command, command.indexOf('$X'), NAMES);
};

describe('the place of an argument is refused', () => {
  test.each([
    'sh -c $X',
    '/bin/bash -ec $X',
    'bash -ce $X',
    'bash -o pipefail -c $X',
    'bash -eo pipefail -c $X',
    'bash --norc -c -- $X',
    'zsh -c -e $X',
    'env sh -c $X',
    '/usr/bin/env -i LANG=C sh -c $X',
    'env -u HOME sh -c $X',
    'nice sh -c $X',
    'nice -n 5 sh -c $X',
    'nohup setsid sh -c $X',
    'timeout -k 1 5 sh -c $X',
    'timeout --signal KILL 5 sh -c $X',
    'sudo -nu app sh -c $X',
    'sudo --user app -- bash -c $X',
    'stdbuf -oL -e 0 sh -c $X',
    'busybox sh -c $X',
    'chrt -f 50 taskset 3 sh -c $X',
    'fish -c $X',
  ])('%s: a program for a shell', (line) => {
    expect(problem(line)).toBe('$X would be a program for the shell; use "$X" inside of a text');
  });

  test.each([
    ['python3 -c $X', 'python3'],
    ['/usr/bin/python3.12 -W ignore -Bc $X', 'python3.12'],
    ['env python3 -c $X', 'python3'],
    ['node -e $X', 'node'],
    ['node -r ./x.js --eval $X', 'node'],
    ['node -pe $X', 'node'],
    ['deno eval $X', 'deno'],
    ['perl -e $X', 'perl'],
    ['perl -lane $X', 'perl'],
    ['perl -Mfeature -e $X', 'perl'],
    ['perl -e 1 -e $X', 'perl'],
    ['ruby -rdate -e $X', 'ruby'],
    ['php -r $X', 'php'],
    ['lua5.4 -l x -e $X', 'lua5.4'],
    ['awk $X app.log', 'awk'],
    ['gawk -F : -v n=1 $X', 'gawk'],
    ['sed $X app.log', 'sed'],
    ['sed app.log -ne $X', 'sed'],
    ['psql -d app -c $X', 'psql'],
    ['su app -c $X', 'su'],
    ['flock /tmp/lock -c $X', 'flock'],
    ['env -S $X', 'env'],
  ])('%s: a program for %s', (line, name) => {
    expect(problem(line)).toBe(
      `$X would be a program for ${name}; have a program of yours read it from the environment variable X`,
    );
  });

  test.each([
    '$X',
    'env $X',
    'env LANG=C $X',
    'nice -n 5 $X',
    'timeout 5 $X',
    'sudo -u app $X',
    'flock f $X',
  ])('%s: the program itself', (line) => {
    expect(problem(line)).toBe('$X would let the sender choose the program; write its name');
  });
});

describe('the place of an argument is taken', () => {
  test.each([
    'ls -c $X',
    'systemctl status -- $X',
    'sh ./deploy.sh -c $X',
    'bash -x deploy.sh $X',
    'sh -c echo sh $X',
    'python3 tool.py -c $X',
    'python3 -m json.tool -c $X',
    'python3 -c print(1) $X',
    'node tool.js -e $X',
    'node -r ./x.js tool.js -e $X',
    'perl -e 1 $X',
    'perl tool.pl -e $X',
    'ruby -rdate tool.rb $X',
    'awk -f tool.awk $X',
    'awk {print} $X',
    'sed -n 1p $X',
    'sed -f tool.sed $X',
    'sed -e 1d $X',
    'timeout $X sleep 600',
    'env -u $X tool',
    'env tool -c $X',
    'nice -n 5 tool -e $X',
    'sudo -u $X tool',
    'psql -v name=1 app $X',
  ])('%s', (line) => {
    expect(problem(line)).toBeUndefined();
  });
});
