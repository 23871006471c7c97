import { createRoot } from 'react-dom/client';
import 'graphiql/style.css';
import './canopy.css';
import { App } from './app.js';
import { loadDemoWorld } from './demo-file.js';
import { provideWorkers } from './workers.js';

provideWorkers();
const container = document.querySelector('#root');
if (!container) throw new Error('The page has no #root.');
const root = createRoot(container);
loadDemoWorld().then(
  (world) => root.render(<App world={world} problem={null} />),
  (cause: unknown) => root.render(<App world={null} problem={String(cause)} />),
);
