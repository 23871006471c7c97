import { lexer, type MarkedToken, type Token } from 'marked';

const maxSummary = 200;

/** The beginning of a content as one line, without its Markdown; null when nothing is there. */
export function summaryOf(content: string): string | null {
  // More than can become part of it, with the addresses of its links, is not looked at.
  const line = textOf(lexer(content.slice(0, 10 * maxSummary)))
    .replace(/\s+/g, ' ')
    .trim();
  if (line.length <= maxSummary) return line || null;
  const cut = line.slice(0, maxSummary - 1);
  // Between words where there are any, and never within a character of two units.
  const words = cut.replace(/\s\S*$/, '');
  return `${(words.length > maxSummary / 2 ? words : cut).replace(/[\ud800-\udbff]$/, '')}…`;
}

// Of extensions, which have types of their own, there are none.
const textOf = (tokens: readonly Token[]): string => tokens.map((token) => textIn(token as MarkedToken)).join('');

/** What a reader sees of a token; blanks between those that stand on lines of their own. */
function textIn(token: MarkedToken): string {
  switch (token.type) {
    case 'space':
    case 'br':
    case 'hr':
      return ' ';
    case 'def':
    case 'checkbox':
      return '';
    case 'html':
      return token.text.replace(/<[^>]*>/g, '');
    case 'code':
      return `${token.text} `;
    case 'list':
      return textOf(token.items);
    case 'table':
      return [token.header, ...token.rows].flatMap((row) => row.map((cell) => `${textOf(cell.tokens)} `)).join('');
    case 'heading':
    case 'paragraph':
    case 'blockquote':
    case 'list_item':
      return `${textOf(token.tokens)} `;
    case 'text':
      return token.tokens ? `${textOf(token.tokens)} ` : token.text;
    case 'codespan':
    case 'escape':
    case 'image':
      return token.text;
    case 'strong':
    case 'em':
    case 'del':
    case 'link':
      return textOf(token.tokens);
  }
}
