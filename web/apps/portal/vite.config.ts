import { defineConfig } from 'vite';

import { appConfig } from '../../vite.shared.ts';

export default defineConfig(appConfig({ server: 'http://127.0.0.1:8080' }));
