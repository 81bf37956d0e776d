// What the theme leaves out for who uses keys or a screen reader: headings of the sidebar have a level, and what scrolls sideways
// can be reached.
for (const node of document.querySelectorAll(".caption[role=heading]")) node.ariaLevel = "2";
for (const node of document.querySelectorAll("pre, .table-wrapper, .sig")) if (node.scrollWidth > node.clientWidth) node.tabIndex = 0;
