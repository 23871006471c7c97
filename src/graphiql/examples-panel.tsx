import { type GraphiQLPlugin, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { createContext, use } from 'react';
import type { Example } from './examples.js';

/** An example as a tab holds it. */
export interface ExampleTab {
  readonly name: string;
  readonly query: string;
  readonly variables: string;
}

/** The examples of this page. */
export const ExamplesContext = createContext<readonly ExampleTab[]>([]);

/** The example with its placeholders replaced; without a demo world, the space is a hint. */
export function inSpace({ name, query, variables }: Example, spaceId: string | null): ExampleTab {
  const text = Object.keys(variables).length === 0 ? '' : JSON.stringify(variables, null, 2);
  const filled = text
    .replaceAll('$DEMO_SPACE', spaceId ?? 'the id of one of your spaces')
    .replaceAll('$UNIQUE', Date.now().toString(36))
    .replaceAll('$NOW', new Date().toISOString());
  return { name, query, variables: filled };
}

/** The list beside the editor: each example by its name. */
export const examplesPlugin: GraphiQLPlugin = { title: 'Examples', icon: ExamplesIcon, content: ExamplesPanel };

function ExamplesPanel() {
  const list = use(ExamplesContext);
  const open = useOpenExample();
  const active = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.title);
  return (
    <section className="examples" aria-labelledby="examples-title">
      <h2 id="examples-title">Examples</h2>
      <p>Choose one, then press the green button or Ctrl+Enter.</p>
      <ul>
        {list.map((example) => (
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
    </section>
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
