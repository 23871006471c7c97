import { HISTORY_PLUGIN } from '@graphiql/plugin-history';
import type { TabsState } from '@graphiql/react';
import { createLocalStorage } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { useState } from 'react';
import type { DemoWorld } from './demo-world.js';
import { EditorEffects } from './editor-effects.js';
import { EventLog } from './event-log.js';
import { ExamplesContext, examplesPlugin, tabGroups } from './examples-panel.js';
import { createFetcher } from './fetcher.js';
import { identitiesOf, nobody, rememberedIdentity } from './identity.js';
import { clearLive } from './live.js';
import { TopBar } from './top-bar.js';

const plugins = [examplesPlugin, HISTORY_PLUGIN];

/** Everything that lives as long as the page. */
function openPage(world: DemoWorld | null) {
  const identities = world ? identitiesOf(world) : [nobody];
  const identity = rememberedIdentity(identities);
  const examples = tabGroups(world);
  return {
    identities,
    identity,
    fetcher: createFetcher(() => identity.get().authorization()),
    // A new demo world has new ids: tabs that were kept from the last one would name a space that is gone.
    storage: createLocalStorage({ namespace: `canopy:${world?.spaceId ?? 'own'}` }),
    examples,
    // The others open when they are chosen.
    firstTabs: examples[0]?.tabs ?? [],
    forgetEventsOfOtherTabs: whenTabChanges(() => clearLive()),
  };
}

function whenTabChanges(act: () => void): (state: TabsState) => void {
  let last: string | undefined;
  return ({ tabs, activeTabIndex }) => {
    const id = tabs[activeTabIndex]?.id;
    if (last !== undefined && id !== last) act();
    last = id;
  };
}

/** The whole page: the bar with the accounts, and the editor below. */
export function App({ world, problem }: { world: DemoWorld | null; problem: string | null }) {
  const [page] = useState(() => openPage(world));
  return (
    <ExamplesContext value={page.examples}>
      <TopBar identities={page.identities} identity={page.identity} problem={problem} />
      <main>
        <GraphiQL
          fetcher={page.fetcher}
          storage={page.storage}
          plugins={plugins}
          visiblePlugin={examplesPlugin}
          defaultTabs={[...page.firstTabs]}
          defaultEditorToolsVisibility="variables"
          onTabChange={page.forgetEventsOfOtherTabs}
          schemaDescription
          inputValueDeprecation
        >
          <GraphiQL.Logo>{null}</GraphiQL.Logo>
          <GraphiQL.Footer>
            <EventLog />
          </GraphiQL.Footer>
          <EditorEffects identity={page.identity} />
        </GraphiQL>
      </main>
    </ExamplesContext>
  );
}
