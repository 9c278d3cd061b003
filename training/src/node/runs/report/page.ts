import { createHash } from "node:crypto";
import { HOVER_SCRIPT } from "../../../charts/chart.ts";
import { escapeHtml } from "../../../charts/html.ts";
import { STYLE } from "./style.ts";

/**
 * An HTML document that requests nothing: its content security policy forbids it.
 *
 * @param style what its style sheet has beside that of all reports
 */
export function page(title: string, body: string, style = ""): string {
  const scriptHash = createHash("sha256").update(HOVER_SCRIPT).digest("base64");
  const policy = `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-${scriptHash}'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>${STYLE}${style}</style>
</head>
<body>
<main>
${body}
</main>
<script>${HOVER_SCRIPT}</script>
</body>
</html>
`;
}
