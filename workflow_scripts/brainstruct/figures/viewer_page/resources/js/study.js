// What the study adds to pycortex's viewer: categories keep their names and
// colours, and the page opens on the flattened cortex.
(function () {
    "use strict";

    function legendOf(view) {
        return view.attrs.legend || [];
    }

    // Averages over depth, and interpolation between voxels, would make a
    // category of two others.
    var getShader = dataset.DataView.prototype.getShader;
    dataset.DataView.prototype.getShader = function (shader, uniforms, options) {
        if (legendOf(this).length) {
            options.layers = 1;
            options.dither = false;
            if ("sampler" in options)
                options.sampler = "nearest";
        }
        return getShader.call(this, shader, uniforms, options);
    };

    // pycortex would put names into its list as HTML, and looks up by their text what is clicked;
    // with a description, be it empty, the heading is HTML, too.
    var addData = mriview.Viewer.prototype.addData;
    mriview.Viewer.prototype.addData = function (views) {
        var list = $(this.object).find("#datasets");
        views.forEach(function (view) {
            view.description = null;
            $("<li class='ui-corner-all'>").text(view.name).appendTo(list);
        });
        return addData.call(this, views);
    };

    function showLegend(view) {
        var legend = document.getElementById("legend");
        var entries = legendOf(view);
        var asList = entries.length > 0 && entries.length <= 16;
        legend.textContent = "";
        legend.style.display = asList ? "block" : "none";
        document.getElementById("colorlegend").style.visibility = asList ? "hidden" : "visible";
        if (!asList)
            return;
        entries.forEach(function (entry) {
            var chip = document.createElement("span");
            chip.className = "chip";
            chip.style.backgroundColor = entry[1];
            var item = document.createElement("span");
            item.className = "entry";
            item.title = entry[0];
            item.appendChild(chip);
            item.appendChild(document.createTextNode(entry[0].split(":")[0]));
            legend.appendChild(item);
        });
    }

    // The value under the pointer is the number of a category: say its name.
    function nameValue(element) {
        new MutationObserver(function () {
            var entries = legendOf(viewer.active);
            var text = element.textContent;
            if (!entries.length || !/^[0-9.e+]+$|^NaN$/.test(text))
                return;
            var entry = entries[Math.round(parseFloat(text))];
            element.textContent = entry ? entry[0] : "no winner";
        }).observe(element, {childList: true});
    }

    // A picture that does not come whole would be drawn as the first category.
    async function checkFiles() {
        var name = "files.json";
        try {
            var sizes = await (await fetch(name)).json();
            for (name in sizes) {
                var answer = await fetch(name.split("/").map(encodeURIComponent).join("/"), {method: "HEAD"});
                var size = answer.headers.get("Content-Length");
                var plain = !answer.headers.get("Content-Encoding");
                if (!answer.ok || (size && plain && Number(size) !== sizes[name]))
                    throw new Error("not whole");
            }
        } catch (error) {
            var place = document.getElementById("missing");
            place.textContent = name + " does not come whole. Serve the whole folder of this " +
                "page over http, or let the workflow build it anew.";
            place.style.display = "block";
        }
    }

    checkFiles();
    $(document).ready(function () {
        if (typeof viewer === "undefined" || !viewer)
            return; // no WebGL; pycortex says so
        document.getElementById("main").appendChild(document.getElementById("legend"));
        viewer.addEventListener("setData", function () { showLegend(viewer.active); });
        nameValue(document.getElementById("mouseover_value"));
        nameValue(document.getElementById("picked_value"));
        viewer.loaded.done(function () {
            showLegend(viewer.active);
            $("#dataset_category").show();
            viewer.ui.set("mix", 1);
            // Leave room for the lists.
            viewer.controls.setRadius(1.2 * viewer.fitFlatView().radius);
            viewer.schedule();
        });
    });
})();
