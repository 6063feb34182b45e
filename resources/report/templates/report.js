(function () {
  "use strict";
  for (const script of document.querySelectorAll('script[type="application/json"]')) {
    const place = document.getElementById("c-" + script.id.slice(2));
    // as SVG the colours stay variables: day, night and paper are the style sheet's
    vegaEmbed(place, JSON.parse(script.textContent), { actions: false, renderer: "svg" })
      .catch((error) => { place.textContent = "This picture could not be drawn: " + error.message; });
  }
  addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll("details")) one.open = true;
  });
})();
