"""The one look of every page: the block page carries this CSS inside, the small web serves it with its own additions.

It must work in browsers of 2012, so no variables, grid, flex or logical properties, and nothing that needs to know
left from right: the Arabic page is the same sheet. Colours are dark on light, all pairs at least 4.5 to 1.
"""

from appliance.notice.markup import Html

_FENCE = (
    "url(\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='28' height='26'%3E"
    "%3Cpath fill='%23f4f6f1' d='M0 22h28v4H0zM4 26V10l7-7 7 7v16zM18 14h14v4H18zM0 14h4v4H0z'/%3E%3C/svg%3E\")"
)

STYLE = f"""html{{-webkit-text-size-adjust:100%;text-size-adjust:100%}}
body{{margin:0;background:#f4f6f1;color:#1b2b2a;font-size:18px;line-height:1.55;word-wrap:break-word;\
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}}
header,main,footer,nav,section{{display:block}}
.in{{max-width:640px;margin:0 auto;padding:0 20px}}
.top{{background:#1d4b47 {_FENCE} repeat-x 0 100%;color:#fff;padding:16px 0 42px}}
.mark{{margin:0;font-size:22px;font-weight:bold}}
.mark a{{color:#fff;text-decoration:none}}
h1{{font-size:30px;line-height:1.25;margin:12px 0}}
h2{{font-size:21px;line-height:1.3;margin:0 0 8px}}
p{{margin:0 0 14px}}
ul,ol{{margin:0 0 14px;padding:0 0 0 24px}}
[dir=rtl] ul,[dir=rtl] ol{{padding:0 24px 0 0}}
li{{margin:0 0 8px}}
a{{color:#0b5a52}}
a:focus,button:focus{{outline:3px solid #b3541e;outline-offset:2px}}
.ltr{{unicode-bidi:embed;direction:ltr}}
.whole{{white-space:nowrap}}
.host{{display:inline-block;max-width:100%;margin:6px 0 0;padding:2px 14px;border:2px solid #b9c8c0;border-radius:16px;\
background:#fff;font-weight:bold;-webkit-box-sizing:border-box;box-sizing:border-box}}
.kind{{font-weight:bold;margin:0 0 4px}}
.calm{{color:#3d524f}}
.box{{background:#fff;border:1px solid #cfdad4;border-radius:14px;padding:18px 20px 6px;margin:22px 0}}
.sun{{background:#ffe9a8;border-color:#e6c24f}}
.sun a{{color:#0b4a43}}
.sky{{background:#e6eefb;border-color:#b7c8ea}}
.button{{display:inline-block;background:#1d4b47;color:#fff;border:0;border-radius:12px;padding:12px 22px;\
margin:4px 0 8px;font:inherit;font-weight:bold;text-decoration:none;min-height:24px;cursor:pointer}}
.sun .button{{color:#fff}}
.plain{{background:#fff;color:#1d4b47;border:2px solid #1d4b47;padding:10px 20px}}
.tap{{display:inline-block;padding:8px 0}}
.gate{{display:block;margin:14px 0 6px}}
.number{{font-size:26px;font-weight:bold;padding:6px 0;display:inline-block}}
.small{{font-size:16px}}
dl{{margin:0 0 14px}}
dt{{font-size:15px;color:#46605b;margin:10px 0 0}}
dd{{margin:0}}
footer{{padding:6px 0 34px;font-size:16px;color:#3d524f}}
"""

CLOSED_GATE = Html(
    '<svg class="gate" aria-hidden="true" focusable="false" width="112" height="76" viewBox="0 0 112 76">'
    '<path fill="#8a5a2b" d="M2 14l7-8 7 8v60H2zM96 14l7-8 7 8v60H96z"/>'
    '<path fill="#e0a84e" d="M20 26l6-6 6 6v46H20zM35 22l6-6 6 6v50H35zM65 22l6-6 6 6v50H65zM80 26l6-6 6 6v46H80z"/>'
    '<path fill="#e0a84e" d="M50 20l6-6 6 6v52H50z"/>'
    '<path fill="#8a5a2b" d="M16 34h80v7H16zM16 58h80v7H16z"/>'
    '<circle cx="56" cy="49" r="7" fill="#1d4b47"/><path fill="#fff" d="M54 48h4l-1 5h-2z"/></svg>'
)
"""a garden gate that is shut; for the eye only"""
