/** What the page shows, as the part of its address after the `#`, so that every view can be bookmarked and shared. Pure. */

/** Which rows of the table are shown, and in which order. */
export interface RouteQuery {
  readonly search: string;
  readonly state?: string;
  readonly brand?: string;
  readonly owner?: string;
  readonly package?: string;
  /** A column's id, with `-` before it for descending. */
  readonly sort: string;
}

/** The current view. */
export type Route =
  | { readonly view: 'vms'; readonly query: RouteQuery }
  | { readonly view: 'vm'; readonly id: string }
  | { readonly view: 'changes' }
  | { readonly view: 'health' };

export const facets = ['state', 'brand', 'owner', 'package'] as const;
export type Facet = (typeof facets)[number];

export const defaultSort = 'alias';

export function parseRoute(hash: string): Route {
  const [path = '', parameters = ''] = hash.replace(/^#/, '').split(/\?(.*)/s);
  const [, view = '', id = ''] = path.split('/');
  if (view === 'vms' && id !== '') return { view: 'vm', id: decoded(id) };
  if (view === 'changes' || view === 'health') return { view };
  const given = new URLSearchParams(parameters);
  const chosen = facets.flatMap((facet) => {
    const value = given.get(facet);
    return value === null ? [] : [[facet, value] as const];
  });
  return {
    view: 'vms',
    query: {
      search: given.get('q') ?? '',
      sort: given.get('sort') ?? defaultSort,
      ...Object.fromEntries(chosen),
    },
  };
}

export function vmsHash({ search, sort, ...chosen }: RouteQuery): string {
  const parameters = new URLSearchParams();
  if (search !== '') parameters.set('q', search);
  for (const [facet, value] of Object.entries(chosen)) parameters.set(facet, value);
  if (sort !== defaultSort) parameters.set('sort', sort);
  const text = parameters.toString();
  return text === '' ? '#/' : `#/?${text}`;
}

export function vmHash(id: string): string {
  return `#/vms/${encodeURIComponent(id)}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A `%` that is not an escape: then it is not a VM's name either.
  }
}
