/** The names of the columns of `vminfo top`, in their order. */
export const columnNames = [
  'alias',
  'brand',
  'state',
  'ram',
  'quota',
  'used',
  'cap',
  'ip',
  'up',
  'changed',
] as const;

export type ColumnName = (typeof columnNames)[number];
