/**
 * A softphone without a window, as a person would start it.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { promisify } from 'node:util';

import { environment } from './environment';

const run = promisify(execFile);

export class Phone {
  private process: ChildProcess | undefined;

  private constructor(readonly profile: string) {}

  static async create(name: string): Promise<Phone> {
    const profile = `${environment.folder}/phones/${name}`;
    await mkdir(profile, { recursive: true, mode: 0o700 });
    return new Phone(profile);
  }

  /** Redeems a code. Rejects with what the program said. */
  async activateByCode(portal: string, code: string): Promise<void> {
    await run(environment.softphone, [...this.place(), 'activate', '--portal', portal, '--code', code]);
  }

  /** Starts and goes on until stopped. */
  start(): void {
    const log = openSync(`${this.profile}.log`, 'a');
    const how = ['run', '--headless', '--no-sound-card'];
    this.process = spawn(environment.softphone, [...this.place(), ...how], { stdio: ['ignore', log, log] });
  }

  /** Tells the running phone something, such as `call 1002`. A refusal of the phone is no error: what it says is for the caller to judge. */
  async command(...words: string[]): Promise<void> {
    await run(environment.softphone, [...this.place(), ...words]).catch(() => undefined);
  }

  async stop(): Promise<void> {
    const running = this.process;
    this.process = undefined;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGTERM');
    await ended;
  }

  private place(): string[] {
    return ['--profile', this.profile, '--secret-store', 'file'];
  }
}
