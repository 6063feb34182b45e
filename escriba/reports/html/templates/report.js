(function () {
  "use strict";
  for (const script of document.querySelectorAll('script[type="application/json"]')) {
    const place = document.getElementById("c-" + script.id.slice(2));
    // SVG keeps the colors as CSS variables, so the style sheet sets them for day, night and print
    vegaEmbed(place, JSON.parse(script.textContent), { actions: false, renderer: "svg" })
      .catch((error) => { place.textContent = "Cannot draw this chart: " + error.message; });
  }
  addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll("details")) one.open = true;
  });
})();
