/** Catches signals and sends what they ask for to the unix socket named by its argument: for when its terminal is gone. */
import { connect } from 'node:net';
import { signals } from '../../../src/process/signals.ts';

signals.install();
const wire = connect(process.argv[2] ?? '', () => wire.write('ready\n'));
signals.attach((request) => wire.end(`${JSON.stringify(request)}\n`));
