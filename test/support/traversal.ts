/** Paths that would lead out of where they belong, if something behind us decoded or folded them. */
// biome-ignore format: a table
export const traversal = [
  '/.', '/..', '/a/.', '/a/..', '/../a', '/a/../b', '/a/./b', '/../../etc/passwd', '/a/../../b', '/..\\..\\windows', '/a\\b', '\\', '\\\\server\\share', '/a/..\\b', 'C:\\x', '../a', '..',
  '/%2e', '/%2E%2e', '/%2e%2e/a', '/.%2e/a', '/a%2fb', '/a%2Fb', '/..%2f..%2fetc', '/a%5cb', '/..%5C..', '/a%00', '/a%00.png', '/%252e%252e/a', '/%25252e', '/a%252fb', '/%255c', '/%c0%ae%c0%ae/a',
  '/%C1%9c', '/%e0%80%ae/a', '/\u0000', '/a\u0000b', '/..\u0000', '/a\u202eb', '/\u2066..\u2069', '/a\u200fb', '/a\u061cb', '/．．/a', '/‥/a', '/․․/a', '/．', '/\u001b[2J', '/a\u007f', '/..\r\n', '/\u202a/a',
];
