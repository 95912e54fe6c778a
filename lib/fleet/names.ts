/**
 * Names in NATS: the two streams, a VM's and a host's subject, our headers. A name that NATS would split or refuse (a
 * datacenter `us-east.1`, a zone `build.old`) is written with `=XX` for each such byte.
 */

/** The VMs: bucket `vminfo` for readers with a key-value library. */
export const vmStream = 'KV_vminfo';
export const vmPrefix = '$KV.vminfo.';

/** The hosts: bucket `vminfo_hosts`. */
export const hostStream = 'KV_vminfo_hosts';
export const hostPrefix = '$KV.vminfo_hosts.';

/** A host of the fleet. */
export interface HostId {
  readonly datacenter: string;
  readonly server: string;
}

/** A VM on a host. A VM that is being migrated is on two. */
export interface VmKey extends HostId {
  readonly zonename: string;
}

export const headerNames = {
  /** `DEL` on the marker of a VM that is gone, as in any key-value bucket. */
  operation: 'KV-Operation',
  /** `<instance>:<seq>:<zonename>`; the server stores an id once. */
  messageId: 'Nats-Msg-Id',
  /** The server adds it to replies that contain a stored message. No publisher sends it. */
  answerOf: 'Nats-Subject',
  /** The sequence of the subject's message before it, on which the server checked that it follows; 0 when there was none. */
  after: 'Nats-Expected-Last-Subject-Sequence',
  /** The hash of the redacted VM: equal VMs have equal hashes. */
  hash: 'Vminfo-Hash',
  /** The publisher's epoch, which grows with each takeover. */
  epoch: 'Vminfo-Epoch',
  /** When the host saw the change; ISO. */
  at: 'Vminfo-At',
} as const;

/** The subject of a VM's messages. */
export function vmSubject({ datacenter, server, zonename }: VmKey): string {
  return `${vmPrefix}${encodeToken(datacenter)}.${encodeToken(server)}.${encodeToken(zonename)}`;
}

/** The subjects of VMs: all, or those of a datacenter, a host, a zonename. Omitted parts match anything. */
export function vmSubjects({ datacenter, server, zonename }: Partial<VmKey> = {}): string {
  const token = (name: string | undefined) => (name === undefined ? '*' : encodeToken(name));
  return `${vmPrefix}${token(datacenter)}.${token(server)}.${token(zonename)}`;
}

/** The subject of a host's record. */
export function hostSubject({ datacenter, server }: HostId): string {
  return `${hostPrefix}${encodeToken(datacenter)}.${encodeToken(server)}`;
}

/** The VM of a subject; `undefined` for a subject that no publisher of ours writes. */
export function parseVmSubject(subject: string): VmKey | undefined {
  const [datacenter, server, zonename, ...rest] = tokensAfter(vmPrefix, subject);
  if (datacenter === undefined || server === undefined || zonename === undefined || rest.length > 0) return;
  return { datacenter, server, zonename };
}

/** The host of a subject; `undefined` for any other. */
export function parseHostSubject(subject: string): HostId | undefined {
  const [datacenter, server, ...rest] = tokensAfter(hostPrefix, subject);
  if (datacenter === undefined || server === undefined || rest.length > 0) return undefined;
  return { datacenter, server };
}

/** A host as one text, for maps and messages. */
export function hostName({ datacenter, server }: HostId): string {
  return `${datacenter}/${server}`;
}

/** Any text as a token of a subject. */
export function encodeToken(text: string): string {
  const encoded = [...Buffer.from(text)].map((byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9_-]/.test(character)
      ? character
      : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  });
  // No token may be empty. `=` alone is no encoding of any text.
  return encoded.join('') || '=';
}

/** The text of a token that `encodeToken` made. */
export function decodeToken(token: string): string {
  if (token === '=') return '';
  const bytes = token.replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}

function tokensAfter(prefix: string, subject: string): readonly string[] {
  return subject.startsWith(prefix) ? subject.slice(prefix.length).split('.').map(decodeToken) : [];
}
