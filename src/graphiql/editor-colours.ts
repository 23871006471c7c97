import type * as Monaco from 'monaco-editor';

const themes = {
  'graphiql-LIGHT': { base: 'vs', accent: '#1f7a55', soft: '#1f7a5519', panel: '#ffffff', input: '#3b4b6811' },
  'graphiql-DARK': { base: 'vs-dark', accent: '#63d1a0', soft: '#63d1a019', panel: '#1c2622', input: '#b7c2d711' },
} as const;

const tokens = {
  'graphiql-LIGHT': { keyword: '7a3fb0', field: '1d6fa5', type: '1f7a55', argument: '8a5a00', text: 'a8441f' },
  'graphiql-DARK': { keyword: 'c79bf2', field: '8cc8f2', type: '63d1a0', argument: 'e3b765', text: 'f0a07c' },
} as const;

/** Gives the two themes that GraphiQL uses the colours of the page. */
export function colourEditors(monaco: typeof Monaco): void {
  for (const name of ['graphiql-LIGHT', 'graphiql-DARK'] as const) {
    const { base, accent, soft, panel, input } = themes[name];
    const { keyword, field, type, argument, text } = tokens[name];
    monaco.editor.defineTheme(name, {
      base,
      inherit: true,
      rules: [
        { token: 'keyword.gql', foreground: keyword },
        { token: 'key.identifier.gql', foreground: field },
        { token: 'type.identifier.gql', foreground: type },
        { token: 'argument.identifier.gql', foreground: argument },
        { token: 'string.key.json', foreground: field },
        { token: 'string.value.json', foreground: text },
      ],
      colors: {
        'editor.background': '#ffffff00',
        'scrollbar.shadow': '#ffffff00',
        'textLink.foreground': accent,
        'textLink.activeForeground': accent,
        'editorLink.activeForeground': accent,
        'editorHoverWidget.background': panel,
        'editorWidget.background': panel,
        'editorSuggestWidget.background': panel,
        'editorSuggestWidget.selectedBackground': soft,
        'editorSuggestWidget.selectedForeground': accent,
        'list.hoverBackground': soft,
        'list.highlightForeground': accent,
        'list.focusHighlightForeground': accent,
        'menu.background': panel,
        'menu.selectionBackground': soft,
        'menu.selectionForeground': accent,
        'quickInput.background': panel,
        'quickInputList.focusBackground': soft,
        'input.background': input,
        focusBorder: accent,
      },
    });
  }
}
