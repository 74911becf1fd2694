/** Small helpers for a page without a framework. */

/** The element with this id. @throws where it is another kind of element, or not there */
export function element<T extends Element>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`The page has no ${kind.name} "${id}"`);
}

/** A control of a form, by its name. @throws as `element` does */
export function control<T extends Element>(form: HTMLFormElement, name: string, kind: new () => T): T {
  const found = form.elements.namedItem(name);
  if (found instanceof kind) return found;
  throw new Error(`The form has no ${kind.name} "${name}"`);
}

/** A new element with properties and children. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<HTMLElementTagNameMap[Tag]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** Runs `work` when the form is sent; its button waits until the work is done. */
export function onSubmit(form: HTMLFormElement, work: () => Promise<void> | void): void {
  const button = form.querySelector('button');
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void attempt(async () => {
      if (button !== null) button.disabled = true;
      try {
        await work();
      } finally {
        if (button !== null) button.disabled = false;
      }
    });
  });
}

/** Shows what goes wrong, instead of losing it. */
export async function attempt(work: () => Promise<void> | void): Promise<void> {
  const problem = element('problem', HTMLElement);
  problem.textContent = '';
  try {
    await work();
  } catch (error) {
    problem.textContent = error instanceof Error ? error.message : String(error);
  }
}
