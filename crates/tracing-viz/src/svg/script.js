// Search, the whole text of what is clicked, and heads that stay in sight. Text is only ever handled as text.
(() => {
  const svg = document.currentScript.closest('svg');
  const all = [...svg.querySelectorAll('.m')];
  const wrap = (x, y, width, height, tag) => {
    const frame = document.createElementNS('http://www.w3.org/2000/svg', 'foreignObject');
    const inner = document.createElementNS('http://www.w3.org/1999/xhtml', tag);
    for (const [name, value] of Object.entries({ x, y, width, height })) frame.setAttribute(name, value);
    frame.append(inner);
    svg.append(frame);
    return inner;
  };
  const show = test => {
    svg.classList.toggle('asked', !!test);
    for (const one of all) one.classList.toggle('hit', !!test && test(one));
  };
  const width = svg.viewBox.baseVal.width;
  const facts = svg.querySelector('.facts').getBBox();
  const start = Math.min(facts.x + facts.width + 20, Math.max(width - 210, 16));
  const box = wrap(start, 10, 200, 30, 'input');
  box.placeholder = 'search';
  box.setAttribute('aria-label', 'search in the picture');
  const search = () => {
    const wanted = box.value.trim().toLowerCase();
    show(wanted && (one => one.textContent.toLowerCase().includes(wanted)));
    if (wanted) svg.querySelector('.hit')?.scrollIntoView({ block: 'nearest' });
  };
  box.addEventListener('input', search);
  let panel;
  const tell = text => {
    panel?.parentNode.remove();
    panel = undefined;
    if (!text) return;
    panel = wrap(16, 0, Math.min(width - 32, 900), 200, 'pre');
    panel.textContent = text;
    follow();
  };
  svg.addEventListener('click', event => {
    const head = event.target.closest('[data-h]');
    const one = event.target.closest('.m');
    if (event.target.closest('foreignObject')) return;
    if (head) show(other => other.dataset.p.split(' ').includes(head.dataset.h));
    else if (!one) search();
    tell(one && one.querySelector('title').textContent);
  });
  addEventListener('keydown', event => {
    if (event.key === 'Escape') { box.value = ''; search(); tell(); }
    if (event.key === '/' && document.activeElement !== box) { event.preventDefault(); box.focus(); }
  });
  const sticky = svg.querySelector('.sticky');
  const follow = () => {
    const place = svg.getBoundingClientRect();
    const scale = place.width / width || 1;
    const hidden = Math.max(0, -place.top) / scale;
    if (sticky) {
      sticky.style.display = hidden > 60 ? 'inline' : 'none';
      sticky.setAttribute('transform', `translate(0 ${hidden})`);
    }
    if (panel) panel.parentNode.setAttribute('y', Math.min(svg.viewBox.baseVal.height, hidden + innerHeight / scale) - 210);
  };
  addEventListener('scroll', follow, { passive: true });
  follow();
})();
