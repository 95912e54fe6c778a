/** Light, dark, or as the system has it; remembered by the browser. page.css does the rest. */
const themes = ['system', 'light', 'dark'] as const;
type Theme = (typeof themes)[number];
const storedAs = 'vminfod-theme';

let theme: Theme = themes.find((name) => name === stored()) ?? 'system';
apply();

export function themeName(): Theme {
  return theme;
}

/** Takes the next one. */
export function nextTheme(): void {
  theme = themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'system';
  apply();
  try {
    localStorage.setItem(storedAs, theme);
  } catch {
    // A browser that keeps nothing: then it is for this visit.
  }
}

function apply(): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}

function stored(): string | null {
  try {
    return localStorage.getItem(storedAs);
  } catch {
    return null; // As above.
  }
}
