import { useGraphiQL, useGraphiQLActions, useMonaco } from '@graphiql/react';
import { useEffect } from 'react';
import { colourEditors } from './editor-colours.js';
import type { Identity } from './identity.js';
import type { Store } from './store.js';

const text = { fontSize: 13, lineHeight: 20 };

/** Renders nothing; keeps the editor in step with the page around it. */
export function EditorEffects({ identity }: { identity: Store<Identity> }) {
  const { introspect, stop } = useGraphiQLActions();
  const activeTab = useGraphiQL((state) => state.activeTabIndex);
  const hasSchema = useGraphiQL((state) => state.schema !== null && state.schema !== undefined);
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  const headerEditor = useGraphiQL((state) => state.headerEditor);
  const responseEditor = useGraphiQL((state) => state.responseEditor);
  const monaco = useMonaco((state) => state.monaco);

  useEffect(() => {
    if (monaco) colourEditors(monaco);
  }, [monaco]);

  useEffect(() => {
    queryEditor?.updateOptions(text);
    variableEditor?.updateOptions({ ...text, placeholder: 'No variables.' });
    headerEditor?.updateOptions({ ...text, placeholder: '{ "Authorization": "Bearer …" }' });
    responseEditor?.updateOptions({ ...text, placeholder: 'The answer appears here.' });
  }, [queryEditor, variableEditor, headerEditor, responseEditor]);

  useEffect(() => {
    document
      .querySelector(`#graphiql-session-tab-${activeTab}`)
      ?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [activeTab]);

  useEffect(() => {
    return identity.subscribe(() => {
      // What is being heard was allowed to the one before; the next one asks anew.
      stop();
      if (!hasSchema) void introspect();
    });
  }, [identity, stop, introspect, hasSchema]);

  return null;
}
