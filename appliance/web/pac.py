"""The proxy auto-configuration file: what a browser should send to the box, and what it should reach by itself.

It uses no helper that asks the DNS (isInNet and isResolvable do), so it costs nothing and leaks nothing.
"""

MEDIA_TYPE = "application/x-ns-proxy-autoconfig"

_SCRIPT = """\
// Schoolgate: everything through the box, but not what is inside the school.
function FindProxyForURL(url, host) {
  var box = "PROXY %s";
  host = host.toLowerCase().replace(/^\\[|\\]$/g, "").replace(/\\.$/, "");
  if (host === "schoolgate.internal" || /\\.schoolgate\\.internal$/.test(host)) { return box; }
  if (host === "localhost" || /\\.localhost$/.test(host)) { return "DIRECT"; }
  if (host.indexOf(":") >= 0) {
    return /^(::1?|f[cd][0-9a-f]{2}:.*|fe[89ab][0-9a-f]:.*)$/.test(host) ? "DIRECT" : box;
  }
  if (host.indexOf(".") < 0) { return "DIRECT"; }
  if (/^(127|10)(\\.\\d{1,3}){3}$/.test(host)) { return "DIRECT"; }
  if (/^(192\\.168|169\\.254|172\\.(1[6-9]|2\\d|3[01]))(\\.\\d{1,3}){2}$/.test(host)) { return "DIRECT"; }
  return box;
}
"""


def script(host: str, port: int) -> str:
    """The file for a box that is reached at `host`, a name or an IP address (IPv6 without brackets)."""
    return _SCRIPT % (f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
