'use strict';
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const store = data.store;
  const cases = [];
  data.scenarios.forEach((scenario, place) => {
    for (const id of scenario.cases) cases.push({ id, scenario: place, values: id.split('/').slice(1) });
  });
  const MISBEHAVING = 'misbehaving';
  const names = ['case', 'ends', 'provenances', 'misbehaves', 'conformance', 'drift', 'sign', 'findings', 'connections', 'reason', 'accepted'];
  const cells = store.cells.map((row, place) => {
    const cell = Object.fromEntries(names.map((name, column) => [name, row[column]]));
    cell.labels = cell.ends.map((peer, side) => (cell.misbehaves & (1 << side) ? MISBEHAVING : peer));
    cell.pairing = cell.labels.join('--');
    cell.id = cases[cell.case].id;
    cell.said = data.said ? data.said.cells[place] : [];
    return cell;
  });
  const byName = new Map(cells.map((cell) => [`${cell.id}/${cell.pairing}`, cell]));
  const requirements = new Map(data.requirements.map((it) => [it.id, it]));

  // Texts of peers are set as text, never as HTML.
  const make = (name, attributes = {}, ...children) => {
    const element = name.startsWith('svg:')
      ? document.createElementNS('http://www.w3.org/2000/svg', name.slice(4))
      : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== undefined && value !== null) element.setAttribute(key, value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  };
  const link = (address, text) => make('a', { href: address }, text);
  const many = (count, what = 'cell') => `${count} ${what}${count === 1 ? '' : 's'}`;
  // What stands between backticks is code.
  const coded = (text) => text.split('`').map((part, place) => (place % 2 ? make('code', {}, part) : part));

  // A line may end behind a slash.
  const breakable = (text) => text.split(/(?<=\/)/).flatMap((part) => [part, make('wbr')]);

  // The address: #view/argument?filters
  const read = () => {
    const [path, query] = decodeURI(location.hash.slice(1) || 'overview').split('?');
    const [view, ...rest] = path.split('/');
    return { view, argument: rest.join('/'), filters: Object.fromEntries(new URLSearchParams(query || '')) };
  };
  const address = (view, filters) => {
    const query = new URLSearchParams(Object.entries(filters).filter(([, value]) => value)).toString();
    return `#${view}${query ? `?${query}` : ''}`;
  };

  const sign = (cell) => {
    if (!cell) return '–';
    if (cell.conformance === 'unsupported') return 'n/a';
    if (cell.conformance === 'failed') return 'FAILED';
    return store.signs[cell.sign] + (cell.conformance === 'deviates' ? ' !' : '') + (cell.drift === 'changed' ? ' ≠' : '');
  };
  const judged = (text) => !['n/a', 'FAILED', '–'].includes(text);

  const verdicts = (cell) => cell.connections.flatMap((part) => store.judged[part[2]].map((place) => store.rulings[place]));
  const WORDS = ['satisfied', 'informational', 'documents disagree', 'violated'];
  const said = (ruling) => `${ruling.party} ${ruling.verdict}`;
  const FILTERS = [
    ['scenario', 'Scenario', () => data.scenarios.map((it) => it.id), (cell, value) => data.scenarios[cases[cell.case].scenario].id === value],
    ['client', 'Client', () => [...new Set(cells.map((it) => it.labels[0]))], (cell, value) => cell.labels[0] === value],
    ['server', 'Server', () => [...new Set(cells.map((it) => it.labels[1]))], (cell, value) => cell.labels[1] === value],
    ['peer', 'Either end', () => data.peers.map((it) => it.name), (cell, value) => cell.labels.includes(value)],
    ['verdict', 'Verdict', () => ['conforms', 'deviates', 'unsupported', 'failed', 'changed', 'new'], (cell, value) => cell.conformance === value || cell.drift === value],
    ['requirement', 'Violated requirement', () => data.requirements.map((it) => it.id), (cell, value) => cell.findings.some((place) => store.findings[place].requirements.includes(value))],
    ['judges', 'Judged by', () => data.requirements.map((it) => it.id), (cell, value, { ruling }) => verdicts(cell).some((it) => it.requirement === value && (!ruling || said(it) === ruling))],
    ['ruling', 'As', () => ['client', 'server'].flatMap((side) => WORDS.map((word) => `${side} ${word}`)), (cell, value) => verdicts(cell).some((it) => said(it) === value)],
    ['provenance', 'Behaviour of', () => ['library', 'glue', 'patch', 'reference'], (cell, value) => cell.provenances.some((it, side) => it === value && !(cell.misbehaves & (1 << side)))],
    ['case', 'Case has', null, (cell, value) => cell.id.includes(value)],
  ];
  const select = (filters) => {
    const active = FILTERS.filter(([name]) => filters[name]);
    return cells.filter((cell) => active.every(([name, , , matches]) => matches(cell, filters[name], filters)));
  };

  // Values of cases that are alike, as few patterns, as the tables of matrix.md have them.
  const patterns = (scenario, ids) => {
    let blocks = ids.map((id) => cases[id].values.map((value) => [value]));
    for (let axis = scenario.axes.length - 1; axis >= 0; axis -= 1) {
      const folded = [];
      for (const block of blocks) {
        const alike = folded.find((other) => block.every((values, place) => place === axis || String(other[place]) === String(values)));
        if (alike) alike[axis] = [...new Set([...alike[axis], ...block[axis]])];
        else folded.push(block.map((values) => [...values]));
      }
      blocks = folded;
    }
    const all = scenario.axes.map((_, axis) => new Set(scenario.cases.map((id) => id.split('/')[axis + 1])));
    return blocks.map((block) => block
      .map((values, axis) => (values.length === 1 ? values[0] : values.length === all[axis].size ? '*' : `{${values.join(',')}}`))
      .join('/'));
  };
  const heads = (columns) => {
    const clients = new Map();
    for (const pairing of columns) {
      const [client, server] = pairing.split('--');
      clients.set(client, [...(clients.get(client) || []), server]);
    }
    const groups = new Map();
    for (const [client, servers] of clients) {
      const key = servers.join(', ');
      groups.set(key, [...(groups.get(key) || []), client]);
    }
    return [...groups].map(([servers, who]) => `${who.join(', ')} → ${servers}`);
  };
  const group = (keys, key) => {
    const groups = new Map();
    for (const one of keys) {
      const text = key(one);
      groups.set(text, [...(groups.get(text) || []), one]);
    }
    return [...groups.values()];
  };

  const table = (place, selected) => {
    const scenario = data.scenarios[place];
    const at = new Map(selected.map((cell) => [`${cell.case} ${cell.pairing}`, cell]));
    const rows = [...new Set(selected.map((cell) => cell.case))];
    const all = [...new Set(selected.map((cell) => cell.pairing))];
    const columns = group(all, (pairing) => rows.map((id) => sign(at.get(`${id} ${pairing}`))).join('\n'));
    const signs = (id) => columns.map(([pairing]) => sign(at.get(`${id} ${pairing}`)));
    const head = make('tr', {}, make('th', { scope: 'col' }, scenario.axes.join(' / ')));
    for (const column of columns) {
      const lines = heads(column).flatMap((text) => [text, make('br')]);
      head.append(make('th', { scope: 'col' }, ...lines.slice(0, -1)));
    }
    const body = make('tbody');
    for (const alike of group(rows, (id) => signs(id).join('\n'))) {
      const texts = signs(alike[0]);
      const counts = new Map();
      texts.forEach((text, column) => judged(text) && counts.set(text, (counts.get(text) || 0) + columns[column].length));
      const most = Math.max(0, ...counts.values());
      const usual = [...counts].filter(([, count]) => count === most);
      const row = make('tr', {}, make('th', { scope: 'row', class: 'mono' }, ...patterns(scenario, alike).flatMap((text) => [...breakable(text), make('br')])));
      texts.forEach((text, column) => {
        const cell = at.get(`${alike[0]} ${columns[column][0]}`);
        const other = usual.length === 1 && judged(text) && text !== usual[0][0];
        const kind = cell ? (cell.drift === 'changed' ? 'changed' : cell.conformance) : 'none';
        row.append(make('td', { class: `${kind}${other ? ' other' : ''}`, title: cell ? cell.conformance : 'not run' },
          cell ? link(`#cell/${cell.id}/${cell.pairing}`, text || cell.conformance) : text));
      });
      body.append(row);
    }
    return make('div', { class: 'wide', tabindex: 0, role: 'region', 'aria-label': scenario.title },
      make('table', {}, make('caption', {}, many(selected.length)), make('thead', {}, head), body));
  };

  const form = document.getElementById('filters');
  for (const [name, title, values] of FILTERS) {
    const control = values
      ? make('select', { name }, make('option', { value: '' }, 'any'), ...values().map((value) => make('option', { value }, value)))
      : make('input', { name, type: 'search', size: 18 });
    form.append(make('label', {}, title, control));
  }
  form.append(make('button', { type: 'reset' }, 'Show all'));
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('reset', () => { location.hash = '#matrix'; });
  form.addEventListener('change', () => { location.hash = address('matrix', Object.fromEntries(new FormData(form))); });

  const showMatrix = (filters) => {
    for (const [name] of FILTERS) form.elements[name].value = filters[name] || '';
    const selected = select(filters);
    const count = (wanted) => selected.filter((cell) => cell.conformance === wanted).length;
    document.getElementById('count').textContent = `${selected.length} of ${cells.length} cells: `
      + ['conforms', 'deviates', 'unsupported', 'failed'].map((word) => `${count(word)} ${word}`).join(', ');
    const tables = document.getElementById('tables');
    tables.replaceChildren();
    const groups = group(selected, (cell) => cases[cell.case].scenario);
    for (const of of groups) {
      const place = cases[of[0].case].scenario;
      const scenario = data.scenarios[place];
      const deviating = of.filter((cell) => cell.conformance === 'deviates').length;
      const part = make('details', { id: `scenario-${scenario.id}` },
        make('summary', {}, make('h3', {}, scenario.title), ` ${many(of.length)}${deviating ? `, ${deviating} deviate` : ''}${scenario.self_test ? ' (self-test of the harness)' : ''}`),
        make('p', {}, make('code', {}, `reqmtls run${data.options} ${scenario.id}`), ` Tests ${scenario.document}. ${scenario.about || ''}`));
      const open = () => { if (part.open && !part.querySelector('table')) part.append(table(place, of)); };
      part.addEventListener('toggle', open);
      tables.append(part);
      if (groups.length === 1 || filters.scenario) { part.open = true; open(); }
    }
  };

  const NAMES = 24;
  const ladder = (text) => {
    const lines = text.split('\n').filter(Boolean);
    const step = 26;
    const height = lines.length * step + 50;
    const [left, middle] = [26, Math.max(...lines.map((line) => line.replace(/ +/g, ' ').length)) * 4 + 60];
    const right = 2 * middle - left;
    const drawing = make('svg:svg', { class: 'ladder', width: 2 * middle, height, viewBox: `0 0 ${2 * middle} ${height}`, role: 'img', 'aria-label': 'Messages between client and server; the same as text below' });
    drawing.append(make('svg:defs', {}, make('svg:marker', { id: 'tip', viewBox: '0 0 10 10', refX: 9, refY: 5, markerWidth: 8, markerHeight: 8, orient: 'auto-start-reverse' },
      make('svg:path', { d: 'M 0 1 L 9 5 L 0 9' }))));
    for (const [x, who] of [[left, 'client'], [right, 'server']]) {
      drawing.append(make('svg:text', { x, y: 16, 'text-anchor': 'middle' }, who));
      drawing.append(make('svg:line', { class: 'life', x1: x, y1: 24, x2: x, y2: height - 8 }));
    }
    lines.forEach((line, place) => {
      const y = 46 + place * step;
      const from = line[0];
      const name = line.slice(3, NAMES).trim();
      const details = line.slice(NAMES).trim();
      const kind = name.includes('Alert') ? 'alert' : name.includes('CertificateRequest') ? 'ask' : details.includes('request_mtls') ? 'flag' : '';
      const part = make('svg:g', { class: kind });
      if (from === 'C' || from === 'S') {
        const [x1, x2] = from === 'C' ? [left, right] : [right, left];
        part.append(make('svg:line', { x1, y1: y, x2, y2: y, 'marker-end': 'url(#tip)' }));
      }
      part.append(make('svg:text', { x: middle, y: y - 5, 'text-anchor': 'middle' }, `${name} ${details}`.trim() || line));
      drawing.append(part);
    });
    return make('div', {}, drawing, make('details', {}, make('summary', {}, 'As text'), make('pre', {}, text)));
  };

  // Lines of two texts, each with where it stands: the longest common part, then what is only in one.
  const compare = (old, now) => {
    const [a, b] = [old.split('\n'), now.split('\n')];
    const best = Array.from({ length: a.length + 1 }, () => new Array(b.length + 1).fill(0));
    for (let i = a.length - 1; i >= 0; i -= 1) {
      for (let j = b.length - 1; j >= 0; j -= 1) best[i][j] = a[i] === b[j] ? best[i + 1][j + 1] + 1 : Math.max(best[i + 1][j], best[i][j + 1]);
    }
    const out = make('pre', {});
    for (let i = 0, j = 0; i < a.length || j < b.length;) {
      if (i < a.length && j < b.length && a[i] === b[j]) { out.append(`  ${a[i]}\n`); i += 1; j += 1; }
      else if (j >= b.length || (i < a.length && best[i + 1][j] >= best[i][j + 1])) { out.append(make('span', { class: 'gone' }, `- ${a[i]}\n`)); i += 1; }
      else { out.append(make('span', { class: 'new' }, `+ ${b[j]}\n`)); j += 1; }
    }
    return out;
  };

  const rulingTable = (places) => {
    const order = ['violated', 'documents disagree', 'informational', 'satisfied'];
    const rows = places.map((place) => store.rulings[place]).sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
    const body = make('tbody');
    for (const it of rows) {
      body.append(make('tr', {}, make('th', { scope: 'row' }, link(`#requirement/${it.requirement}`, it.requirement)),
        make('td', {}, it.party), make('td', { class: `verdict-${it.verdict}` }, it.verdict), make('td', {}, it.got), make('td', {}, it.expected || '')));
    }
    const head = ['requirement', 'end', 'verdict', 'observed', 'expected'].map((text) => make('th', { scope: 'col' }, text));
    return make('div', { class: 'wide rulings', tabindex: 0, role: 'region', 'aria-label': 'Requirements judged' },
      make('table', {}, make('thead', {}, make('tr', {}, ...head)), body));
  };

  const showCell = (argument) => {
    const section = document.getElementById('cell');
    section.replaceChildren();
    const cell = byName.get(argument);
    if (!cell) {
      section.append(make('h2', {}, 'No such cell'), make('p', {}, `got ${argument}, expected CASE/CLIENT--SERVER`));
      return;
    }
    const whose = ['client', 'server'].flatMap((side, place) => [place ? '; ' : '', `${side}: `, link(`#peer/${cell.ends[place]}`, cell.ends[place]),
      cell.misbehaves & (1 << place) ? ', which breaks rules on purpose' : ` (${cell.provenances[place]})`]);
    const options = ['client', 'server'].map((side, place) => (cell.misbehaves & (1 << place) ? '' : ` --${side} ${cell.ends[place]}`));
    section.append(make('h2', {}, make('span', { class: 'mono' }, cell.id), ` ${cell.labels.join(' → ')}`),
      make('p', {}, make('strong', {}, cell.conformance), cell.drift ? `, transcript ${cell.drift === 'same' ? 'as accepted' : cell.drift}` : '',
        cell.reason === null ? '' : `: ${store.reasons[cell.reason]}`),
      make('p', {}, ...whose),
      make('p', {}, 'Alone, with its capture in results/latest/run.pcapng: ', make('code', {}, `reqmtls run${data.options} ${cell.id}${options.join('')}`)));
    // Only a run's own page stands beside its capture, and has what ends say.
    if (data.said) {
      section.append(make('p', {}, 'Its octets are in ', link('run.pcapng', 'run.pcapng'), ' beside this page; alone: ',
        make('code', {}, `reqmtls explain${(data.options.match(/ --revision \S+/) || [''])[0]} ${cell.id} ${cell.pairing} --capture cell.pcapng`)));
    }
    for (const place of cell.findings) {
      const it = store.findings[place];
      section.append(make('p', {}, make('strong', {}, `Finding, ${it.party}: `), `${it.got}; expected ${it.expected} `,
        ...it.requirements.flatMap((id) => [link(`#requirement/${id}`, id), ' ']),
        it.known ? `Known: ${it.known}` : it.party === 'documents' ? '' : 'Not known yet.'));
    }
    cell.connections.forEach(([label, text, rulings], number) => {
      if (store.labels[label]) section.append(make('h3', {}, store.labels[label]));
      section.append(ladder(store.transcripts[text]));
      for (const [side, place] of (cell.said[number] || []).entries()) {
        if (place === null) continue;
        const who = ['client', 'server'][side];
        const words = Object.entries(data.said.words[place]).map(([key, value]) => `${key.replace('_', ' ')}: ${value}`);
        section.append(make('p', {}, make('strong', {}, `The ${who} says: `), words.join('; ')));
      }
      section.append(make('details', { open: '' }, make('summary', {}, `${many(store.judged[rulings].length, 'requirement')} judged`), rulingTable(store.judged[rulings])));
    });
    if (cell.accepted !== null) {
      const shown = cell.connections.map(([label, text]) => (store.labels[label] ? `-- ${store.labels[label]}\n` : '') + store.transcripts[text]).join('');
      section.append(make('h3', {}, 'Against the accepted transcript'), compare(store.transcripts[cell.accepted].trim(), shown.trim()));
    }
    const alike = cells.filter((it) => it.case === cell.case && it !== cell && sign(it) === sign(cell));
    section.append(make('details', {}, make('summary', {}, `The same sign: ${many(alike.length)} of this case`),
      make('p', {}, ...alike.flatMap((it) => [link(`#cell/${it.id}/${it.pairing}`, it.labels.join(' → ')), ' '])),
      link(address('matrix', { scenario: data.scenarios[cases[cell.case].scenario].id }), 'The scenario')));
  };

  const counts = (id) => {
    const by = new Map();
    for (const cell of cells) {
      const seen = new Set();
      for (const it of verdicts(cell)) {
        const side = ['client', 'server'].indexOf(it.party);
        if (it.requirement !== id || side < 0) continue;
        const key = `${cell.labels[side]} ${it.party} ${it.verdict}`;
        if (seen.has(key)) continue;
        seen.add(key);
        const name = `${cell.labels[side]} ${it.party}`;
        const row = by.get(name) || { peer: cell.labels[side], party: it.party };
        row[it.verdict] = (row[it.verdict] || 0) + 1;
        by.set(name, row);
      }
    }
    return [...by.values()];
  };
  const showRequirement = (id) => {
    const section = document.getElementById('requirement');
    section.replaceChildren();
    const it = requirements.get(id);
    if (!it) {
      section.append(make('h2', {}, `No requirement ${id}`));
      return;
    }
    section.append(make('h2', {}, `${it.id} (${it.level})`), make('p', {}, ...coded(it.statement)), make('p', {}, link(it.link, it.citation)));
    const body = make('tbody');
    for (const row of counts(id)) {
      body.append(make('tr', {}, make('th', { scope: 'row' }, row.peer === MISBEHAVING ? `${row.peer} on purpose` : link(`#peer/${row.peer}`, row.peer)), make('td', {}, row.party),
        ...WORDS.map((word) => make('td', word === 'violated' && row[word] && row.peer !== MISBEHAVING ? { class: 'deviates' } : {},
          row[word] ? link(address('matrix', { judges: id, ruling: `${row.party} ${word}`, [row.party]: row.peer }), many(row[word])) : ''))));
    }
    section.append(make('div', { class: 'wide', tabindex: 0, role: 'region', 'aria-label': 'Who satisfies and who violates it' },
      make('table', {}, make('caption', {}, 'Cells in which it says something of an end'),
        make('thead', {}, make('tr', {}, ...['peer', 'as', ...WORDS].map((text) => make('th', { scope: 'col' }, text)))), body)));
  };
  // The peers of which a requirement says something, by its id and the verdict; not those that break rules on purpose.
  const peersBy = () => {
    const by = new Map();
    const seen = new Set();
    for (const cell of cells) {
      for (const [, , rulings] of cell.connections) {
        const key = [rulings, ...cell.labels].join(' ');
        if (seen.has(key)) continue;
        seen.add(key);
        for (const it of store.judged[rulings].map((place) => store.rulings[place])) {
          const peer = cell.labels[['client', 'server'].indexOf(it.party)];
          if (!peer || peer === MISBEHAVING) continue;
          const name = `${it.requirement} ${it.verdict}`;
          by.set(name, (by.get(name) || new Set()).add(peer));
        }
      }
    }
    return by;
  };
  const listRequirements = () => {
    const section = document.querySelector('#requirements div');
    if (section.firstChild) return;
    const by = peersBy();
    const body = make('tbody');
    for (const it of data.requirements) {
      const peers = (word, ...words) => {
        const names = [...new Set([word, ...words].flatMap((one) => [...(by.get(`${it.id} ${one}`) || [])]))];
        return make('td', { class: `number${names.length && word === 'violated' ? ' deviates' : ''}` }, names.length ? make('a', { href: `#requirement/${it.id}`, title: names.join(', ') }, many(names.length, 'peer')) : '–');
      };
      body.append(make('tr', {}, make('th', { scope: 'row' }, link(`#requirement/${it.id}`, it.id)), make('td', {}, it.level), make('td', {}, ...coded(it.statement)),
        peers('satisfied'), peers('informational', 'documents disagree'), peers('violated'), make('td', {}, link(it.link, it.citation))));
    }
    section.append(make('table', {}, make('thead', {}, make('tr', {}, ...['id', 'level', 'statement', 'satisfied by', 'choice of', 'violated by', 'document'].map((text) => make('th', { scope: 'col' }, text)))), body));
  };

  const sections = [...document.querySelectorAll('main > section')];
  const show = () => {
    const { view, argument, filters } = read();
    const known = ['matrix', 'findings', 'requirements', 'requirement', 'cell', 'peers', 'peer'].includes(view) ? view : 'overview';
    for (const section of sections) {
      section.hidden = known === 'peer' ? section.dataset.peer !== argument : section.id !== known;
    }
    if (known === 'matrix') showMatrix(filters);
    if (known === 'cell') showCell(argument);
    if (known === 'requirements') listRequirements();
    if (known === 'requirement') showRequirement(argument);
    for (const item of document.querySelectorAll('nav a')) {
      const here = item.getAttribute('href') === `#${{ requirement: 'requirements', peer: 'peers', cell: 'matrix' }[known] || known}`;
      if (here) item.setAttribute('aria-current', 'page');
      else item.removeAttribute('aria-current');
    }
    document.title = document.title.replace(/( – .*)?$/, known === 'overview' ? '' : ` – ${argument || known}`);
    document.documentElement.dataset.shown = location.hash;
    if (known !== 'matrix') window.scrollTo(0, 0);
  };
  window.addEventListener('hashchange', show);
  // The address is that of a view: the skip link leaves it as it is.
  document.querySelector('.skip').addEventListener('click', (event) => {
    event.preventDefault();
    document.getElementById('content').focus();
  });
  show();
})();
