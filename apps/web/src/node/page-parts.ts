const pages = [
  ["classify", "Classify"],
  ["compare", "Compare"],
  ["train", "Train"],
  ["write", "Write"],
  ["translate", "Translate"],
  ["generate", "Generate"],
  ["measure", "Measure"],
] as const;

/** Nothing but this site's own files, and WebAssembly. */
const policy = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const icon =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%230068a8'/%3E%3Cpath d='M4 4.5h8L5 11.5h7' fill='none' stroke='white' stroke-width='2'/%3E%3C/svg%3E";

/** What every page's head begins with. */
export function headOf(path: string): string {
  return `<meta charset="utf-8" />
    <meta http-equiv="Content-Security-Policy" content="${policy}" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <link rel="icon" href="${icon}" />
    <link rel="stylesheet" href="${rootOf(path)}shared/style.css" />`;
}

/** The links between the pages; the one that is open is marked. */
export function navigationOf(path: string): string {
  const root = rootOf(path);
  const links = pages.map(([name, title]) => {
    const here = path.includes(`/${name}/`) ? ' aria-current="page"' : "";
    return `<li><a href="${root}${name}/index.html"${here}>${title}</a></li>`;
  });
  return `<a class="skip" href="#main">Skip to the content</a>
    <header class="site">
      <a class="home" href="${root}index.html">tfjs-zoo</a>
      <nav aria-label="Apps"><ul>${links.join("")}</ul></nav>
    </header>`;
}

/** The way from a page to the site's root. */
const rootOf = (path: string): string => (pages.some(([name]) => path.includes(`/${name}/`)) ? "../" : "./");
