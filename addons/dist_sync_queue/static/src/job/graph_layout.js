/** Where the boxes and lines of a graph of jobs stand. Pure: numbers in, numbers out (pixels). */

export const BOX = { width: 220, height: 58 };
export const GAP = { x: 64, y: 18 };

/**
 * Boxes in columns by layer, each column centred on the highest one; lines as cubic curves from right edge to left.
 *
 * @param {{boxes: Array<Object>, lines: Array<{from: string, to: string, kind: string}>}} picture
 * @returns {{width: number, height: number, boxes: Array<Object>, lines: Array<Object>}}
 */
export function layout({ boxes, lines }) {
    const columns = new Map();
    for (const box of boxes) {
        if (!columns.has(box.layer)) {
            columns.set(box.layer, []);
        }
        columns.get(box.layer).push(box);
    }
    const tallest = Math.max(1, ...[...columns.values()].map((column) => column.length));
    const height = tallest * (BOX.height + GAP.y) - GAP.y;
    const places = new Map();
    for (const [layer, column] of columns) {
        const own = column.length * (BOX.height + GAP.y) - GAP.y;
        column.forEach((box, row) => {
            places.set(box.key, {
                x: layer * (BOX.width + GAP.x),
                y: (height - own) / 2 + row * (BOX.height + GAP.y),
            });
        });
    }
    const layers = Math.max(0, ...columns.keys()) + 1;
    return {
        width: layers * (BOX.width + GAP.x) - GAP.x,
        height,
        boxes: boxes.map((box) => ({ ...box, ...places.get(box.key) })),
        lines: lines.map((line) => ({
            ...line,
            key: `${line.from}>${line.to}>${line.kind}`,
            path: curve(places.get(line.from), places.get(line.to)),
        })),
    };
}

function curve(from, to) {
    const start = { x: from.x + BOX.width, y: from.y + BOX.height / 2 };
    const end = { x: to.x, y: to.y + BOX.height / 2 };
    const bend = Math.max(24, (end.x - start.x) / 2);
    return `M ${start.x} ${start.y} C ${start.x + bend} ${start.y}, ${end.x - bend} ${end.y}, ${end.x} ${end.y}`;
}

const ORDER = ["dead", "parked", "pending", "waiting", "cancelled", "done"];

/** The state a box is coloured by: of many jobs, the one that asks for attention most. */
export function worst(states) {
    return ORDER.find((state) => states[state]) || "pending";
}
