import { describe, expect, test } from '@jest/globals';
import { extractText, hasText, maxFileBytes, maxTextBytes, TextUnreadable } from '../../src/platform/text/text.js';
import { docxParts, pdfOf, zipOf } from '../support/documents.js';

const docx = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
const textOf = async (content: string | Buffer, mediaType: string) =>
  (await extractText(Buffer.from(content), mediaType)).text;

describe('the text of a file', () => {
  test('plain, in the charset that is named', async () => {
    expect(await textOf('  Crème brûlée ☕\n', 'text/plain')).toBe('Crème brûlée ☕');
    expect(await textOf(Buffer.from('Crème', 'latin1'), 'text/plain; charset=iso-8859-1')).toBe('Crème');
    expect(await textOf(Buffer.from('\ufeffCrème', 'utf16le'), 'text/plain')).toBe('Crème');
    expect(await textOf('plain', 'text/plain; charset=klingon')).toBe('plain');
    expect(await textOf('a\u0000b', 'text/plain')).toBe('ab');
  });

  test('Markdown and HTML, without their marks, scripts and addresses', async () => {
    const markdown = await textOf(
      '# Beans\n\nSow *deep*, see [the guide](https://example.com/guide).\n\n- one\n- two',
      'text/markdown',
    );
    expect(markdown).toMatch(/^Beans\s+Sow deep, see the guide\.\s+\* one\s+\* two$/);
    const html = await textOf(
      '<style>p{}</style><script>alert(1)</script><h1>Beans &amp; peas</h1><p>Sow<br>deep</p>',
      'text/html; charset=utf-8',
    );
    expect(html).toMatch(/^Beans & peas\s+Sow\s+deep$/);
  });

  test('JSON and CSV, their words one after the other', async () => {
    expect(await textOf('{"title":"Beans","days":[7,{"note":"deep"}]}', 'application/json')).toBe(
      'title\nBeans\ndays\n7\nnote\ndeep',
    );
    expect(await textOf('{"a":"x"}\n{"a":"y"}\n', 'application/x-ndjson')).toBe('a\nx\na\ny');
    expect(await textOf('{ not json', 'application/ld+json')).toBe('{ not json');
    expect(await textOf('name,note\n"Bean, broad",deep\nPea\n', 'text/csv')).toBe(
      'name · note\nBean, broad · deep\nPea',
    );
  });

  test('PDF and DOCX', async () => {
    expect(await textOf(pdfOf(['Quarterly report', 'Beans did well']), 'application/pdf')).toMatch(
      /Quarterly report\s+Beans did well/,
    );
    expect(await textOf(zipOf(docxParts(['Quarterly report', 'Beans &amp; peas'])), docx)).toMatch(
      /^Quarterly report\s+Beans & peas$/,
    );
  });

  test('from a stream, cut after a mebibyte between two characters', async () => {
    async function* stream() {
      for (let part = 0; part < 40; part += 1) yield Buffer.from('é'.repeat(20_000));
    }
    const { text, isCut } = await extractText(stream(), 'text/plain');
    expect(isCut).toBe(true);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(maxTextBytes);
    expect(text).toMatch(/^é+$/);
  });
});

describe('there is no text', () => {
  test('in files of other types', async () => {
    for (const type of ['image/png', 'application/octet-stream', 'application/zip', ''])
      expect(hasText(type)).toBe(false);
    await expect(textOf('x', 'image/png')).rejects.toThrow(TextUnreadable);
  });

  test('in what is broken', async () => {
    for (const [content, type] of [
      ['no pdf', 'application/pdf'],
      ['no docx', docx],
      [zipOf({ 'a.txt': 'no document' }), docx],
      [pdfOf(['cut off']).subarray(0, 100), 'application/pdf'],
    ] as const)
      await expect(textOf(content, type)).rejects.toThrow(TextUnreadable);
  });

  test('in what is larger than is read', async () => {
    async function* endless() {
      for (;;) yield Buffer.alloc(1024 * 1024);
    }
    await expect(extractText(endless(), 'text/plain')).rejects.toThrow(`${maxFileBytes}`);
  });

  test('in what unpacks to far more, whatever it says of its size', async () => {
    const bomb = { ...docxParts(['x']), 'word/bomb.xml': Buffer.alloc(100 * 1024 * 1024) };
    for (const claimed of [undefined, 10]) {
      const zip = zipOf(bomb, claimed);
      expect(zip.length).toBeLessThan(200_000);
      await expect(textOf(zip, docx)).rejects.toThrow(TextUnreadable);
    }
  });

  test('in a PDF that unpacks to far more than a PDF says', async () => {
    expect(await textOf(pdfOf(['Beans'], Buffer.alloc(1024 * 1024, ' ')), 'application/pdf')).toBe('Beans');
    const bomb = pdfOf(['Beans'], Buffer.alloc(200 * 1024 * 1024, ' '));
    expect(bomb.length).toBeLessThan(300_000);
    await expect(textOf(bomb, 'application/pdf')).rejects.toThrow(TextUnreadable);
  });

  test('in an archive whose directory says that it has fewer entries, or that it stands elsewhere', async () => {
    const bomb = zipOf({ ...docxParts(['x']), 'word/bomb.xml': Buffer.alloc(100 * 1024 * 1024) });
    const end = bomb.length - 22;
    const none = Buffer.from(bomb);
    none.writeUInt16LE(0, end + 8);
    none.writeUInt16LE(0, end + 10);
    const large = Buffer.from(none);
    large.writeUInt32LE(0xffffffff, end + 16);
    const [before, behind] = [
      bomb.subarray(0, bomb.readUInt32LE(end + 16)),
      bomb.subarray(bomb.readUInt32LE(end + 16)),
    ];
    const shifted = Buffer.concat([before, Buffer.alloc(1_000), behind]);
    await expect(textOf(none, docx)).rejects.toThrow('Cannot create a Buffer larger');
    await expect(textOf(large, docx)).rejects.toThrow('directory');
    await expect(textOf(shifted, docx)).rejects.toThrow('directory');
  });

  test('for whoever no longer waits', async () => {
    await expect(extractText(Buffer.from('x'), 'text/plain', AbortSignal.abort(new Error('enough')))).rejects.toThrow(
      'enough',
    );
  });
});
