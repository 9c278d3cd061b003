/**
 * Makes the elements in a box that a selector finds one stop of the Tab key: arrows, Home and End go from one to the next,
 * and the Tab key comes back to the one that it left.
 */
export function roam(box: HTMLElement, selector: string): void {
  const all = () => [...box.querySelectorAll<HTMLElement>(selector)];
  box.addEventListener("focusin", ({ target }) => {
    if (!(target instanceof HTMLElement && target.matches(selector))) return;
    for (const element of all()) element.tabIndex = element === target ? 0 : -1;
  });
  box.addEventListener("keydown", (event) => {
    const elements = all();
    const at = elements.indexOf(event.target as HTMLElement);
    if (at < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    const forward = getComputedStyle(box).direction === "rtl" ? -1 : 1;
    const to: { [key: string]: number } = {
      ArrowLeft: at - forward,
      ArrowRight: at + forward,
      Home: 0,
      End: elements.length - 1,
    };
    if (!(event.key in to)) return;
    elements[Math.max(0, Math.min(elements.length - 1, to[event.key]))].focus();
    event.preventDefault();
  });
}
