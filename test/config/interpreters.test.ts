/** Which items of a list are read as a program, by whatever stands before them. */
import { describe, expect, test } from 'vitest';
import { placeProblem } from '../../src/config/argument-places.ts';

const problem = (line: string, rest = false) => {
  const command = line.split(' ');
  return placeProblem(command, command.indexOf('$X'), new Map([['X', { rest }]]));
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
    'docker exec app sh -c $X',
    'nsenter -t 1 -m -- /bin/bash -e -c $X',
    'tool --run sh -c -- $X',
    'bash -ceuo pipefail $X',
    'bash -oc pipefail $X',
    'bash -noprofile -c $X',
    'time -f %e sh -c $X',
    'rbash -c $X',
    'unshare -n sh -c $X',
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
    ['node --input-type module -e $X', 'node'],
    ['node --title worker --no-warnings --eval $X', 'node'],
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
    ['script -qc $X', 'script'],
    ['expect -c $X', 'expect'],
    ['docker exec app python3 -c $X', 'python3'],
    ['strace -f node --no-warnings -e $X', 'node'],
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
    'time -o times $X',
    'sh $X',
    'bash -euo pipefail $X',
    'bash --rcfile $X -i',
    'sh - $X',
    'sudo -u app bash -x $X',
    'node $X',
    'node --enable-source-maps $X',
    'node -r $X tool.js',
    'node --import $X tool.js',
    'deno run -A $X',
    'python3 $X',
    'python3 -m $X',
    'python3 -Bm $X',
    'perl -w $X',
    'ruby -r $X tool.rb',
    'php -f $X',
    'lua $X',
    'awk -f $X app.log',
    'sed -n -f $X app.log',
  ])('%s: the program itself', (line) => {
    expect(problem(line)).toBe('$X would let the sender choose the program; write its name');
  });
});

describe('the place of an argument of several words is refused', () => {
  test.each([
    'timeout $X tool',
    'env -u $X tool',
    'sudo -u $X tool',
    'nice timeout -k 1 $X tool',
    'taskset $X tool',
    'bash -o $X deploy.sh',
    'python3 -W $X tool.py',
    'awk -v $X {print}',
  ])('%s: the second word would be the program', (line) => {
    expect(problem(line)).toBeUndefined();
    expect(problem(line, true)).toBe(
      '$X takes all remaining words, and the second would be the program; remove its rest',
    );
  });

  test.each(['tool $X', 'timeout 5 tool $X', 'sh tool.sh $X', 'sed -e 1d $X', 'sh -c echo sh $X'])(
    'but not behind the program: %s',
    (line) => {
      expect(problem(line, true)).toBeUndefined();
    },
  );
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
    'node --inspect=0 tool.js -e $X',
    'docker exec app tool -c $X',
    'docker exec app sh tool.sh -c $X',
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
    'script -q $X',
    'php -f tool.php $X',
    'python3 -Bm json.tool $X',
    'deno run -A tool.ts $X',
    'bash -euo pipefail deploy.sh $X',
    'apt install node $X',
  ])('%s', (line) => {
    expect(problem(line)).toBeUndefined();
  });
});
