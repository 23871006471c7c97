import { type GraphiQLPlugin, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { createContext, use, useEffect, useState } from 'react';
import type { DemoWorld } from './demo-world.js';
import { type Example, filled, groups } from './examples.js';

/** An example as a tab holds it. */
export interface ExampleTab {
  readonly name: string;
  readonly query: string;
  readonly variables: string;
}

/** Tabs that belong together. */
export interface TabGroup {
  readonly name: string;
  readonly tabs: readonly ExampleTab[];
}

/** The examples of this page. */
export const ExamplesContext = createContext<readonly TabGroup[]>([]);

/** The examples with their placeholders replaced. */
export const tabGroups = (world: DemoWorld | null): readonly TabGroup[] =>
  groups.map(({ name, examples }) => ({ name, tabs: examples.map((example) => tabOf(example, world)) }));

function tabOf({ name, query, variables }: Example, world: DemoWorld | null): ExampleTab {
  return { name, query, variables: Object.keys(variables).length === 0 ? '' : filled(variables, world) };
}

/** The list beside the editor: each example by its name. */
export const examplesPlugin: GraphiQLPlugin = { title: 'Examples', icon: ExamplesIcon, content: ExamplesPanel };

function ExamplesPanel() {
  const list = use(ExamplesContext);
  const active = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.title);
  return (
    <section className="examples" aria-labelledby="examples-title">
      <h2 id="examples-title">Examples</h2>
      <p>Choose one, then press the green button or Ctrl+Enter.</p>
      {list.map((group) => (
        <Group key={group.name} group={group} active={active} />
      ))}
    </section>
  );
}

/** One group, to be opened and closed; it opens by itself when one of its examples comes to the front. */
function Group({ group: { name, tabs }, active }: { group: TabGroup; active: string | undefined }) {
  const open = useOpenExample();
  const holdsActive = tabs.some((tab) => operationOf(tab).name === active);
  const [isOpen, setOpen] = useState(holdsActive);
  useEffect(() => {
    if (holdsActive) setOpen(true);
  }, [holdsActive]);
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {name} <span>{tabs.length}</span>
      </summary>
      <ul>
        {tabs.map((example) => (
          <li key={example.name}>
            <button
              type="button"
              aria-current={active === operationOf(example).name}
              data-kind={operationOf(example).kind}
              onClick={() => open(example)}
            >
              {example.name}
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** Goes to the tab of the example, or opens one when it was closed. */
function useOpenExample(): (example: ExampleTab) => void {
  const tabs = useGraphiQL((state) => state.tabs);
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  const { addTab, changeTab } = useGraphiQLActions();
  return (example) => {
    const index = tabs.findIndex(({ title }) => title === operationOf(example).name);
    if (index >= 0) {
      changeTab(index);
      return;
    }
    addTab();
    queryEditor?.setValue(example.query);
    variableEditor?.setValue(example.variables);
  };
}

/** GraphiQL names a tab after its operation. */
function operationOf({ query }: ExampleTab) {
  const [, kind, name] = query.match(/^(query|mutation|subscription)\s+(\w+)/m) ?? [];
  return { kind, name };
}

function ExamplesIcon() {
  return (
    <svg
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      aria-hidden="true"
    >
      <path d="M3 4.5h.01M3 10h.01M3 15.5h.01M7 4.5h10M7 10h10M7 15.5h10" />
    </svg>
  );
}
