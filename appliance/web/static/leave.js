// The quick exit: the next page takes the place of the help page, so that "Back" does not show it.
// Without this script the link still leaves; only "Back" would then lead here again.
(function () {
  var link = document.getElementById("leave");
  link.onclick = function () {
    location.replace(link.getAttribute("data-to"));
    return false;
  };
}());
