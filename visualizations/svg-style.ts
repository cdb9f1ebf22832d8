/** The colours and type of the standalone drawing: the page's palette, written out because not all viewers know variables. */

interface Palette {
  readonly paper: string;
  readonly raised: string;
  readonly border: string;
  readonly text: string;
  readonly text2: string;
  readonly text3: string;
  readonly edge: string;
  readonly dispatch: string;
  readonly hold: string;
  readonly refuse: string;
}

const LIGHT: Palette = {
  paper: '#ffffff',
  raised: '#f6f7f8',
  border: '#e1e4e8',
  text: '#15181c',
  text2: '#4a525b',
  text3: '#626b75',
  edge: '#87909a',
  dispatch: '#14754a',
  hold: '#7a5f00',
  refuse: '#c62f28',
};

const DARK: Palette = {
  paper: '#121518',
  raised: '#171b1f',
  border: '#262b31',
  text: '#e6e9ec',
  text2: '#a9b1ba',
  text3: '#8a939d',
  edge: '#66717c',
  dispatch: '#4cc38a',
  hold: '#e0be4a',
  refuse: '#ff8078',
};

const FONT =
  'ui-monospace,"SF Mono","Cascadia Mono","JetBrains Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace';

const colours = (palette: Palette): string =>
  [
    `.paper,.state .box{fill:${palette.paper}}`,
    `.state .box{stroke:${palette.edge}}`,
    `.phase .box{fill:${palette.raised};stroke:${palette.border}}`,
    `text,.phase .name{fill:${palette.text2}}`,
    `.state .name{fill:${palette.text}}`,
    `.note,.side text,.legend text{fill:${palette.text3}}`,
    `.way{stroke:${palette.edge}}`,
    `.arrow{fill:${palette.edge}}`,
    `.dot{fill:${palette.text3}}`,
    `.dispatch{fill:${palette.dispatch}}`,
    `.hold{fill:${palette.hold}}`,
    `.refuse{stroke:${palette.refuse}}`,
  ].join('');

const SHAPES = [
  `text{font:11px ${FONT};white-space:pre}`,
  '.name{font-size:12px;font-weight:600}',
  '.note{font-size:10.5px}',
  '.way{fill:none;stroke-width:1.5}',
  '.side .way{stroke-width:1}',
  '.refuse{fill:none;stroke-width:1.7;stroke-linecap:round}',
].join('');

export const styleSheet = `${SHAPES}${colours(LIGHT)}@media (prefers-color-scheme:dark){${colours(DARK)}}`;
