import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { isNeutral, keptOf, type Size } from "../adjust.ts";
import { Icon } from "../icons.tsx";
import { useWords } from "../preferences.tsx";
import { isBusy, resultOf, type Photo } from "../photo.ts";
import { canvasRenderer } from "./canvas.ts";
import { Divider } from "./Divider.tsx";
import { usePictures } from "./pictures.ts";
import type { Renderer } from "./scene.ts";
import { useGestures } from "./gestures.ts";
import { extent, fit, held, zoomed, type View } from "./view.ts";
import { webglRenderer } from "./webgl.ts";

const ZOOM_STEP = 1.5;
const PAN_STEP_PX = 60;

/** Before and after of one photo under one divider, with zoom and pan for both. */
export function Stage({ photo }: { photo: Photo }) {
  const words = useWords();
  const box = useRef<HTMLDivElement>(null);
  const [renderer, canvas] = useRenderer();
  const stage = useSizeOf(box);
  const result = resultOf(photo);
  const pictures = usePictures(photo.file, result?.photo ?? null, renderer?.maxSide ?? 0);
  const [divider, setDivider] = useState(0.5); // share of the photo that shows what was before
  const [wish, setWish] = useState<View | null>(null); // null: fitted

  const { adjustments } = photo;
  const frame = useMemo<Size>(
    () => keptOf(pictures?.afterSize ?? { width: 3, height: 2 }, adjustments.straighten),
    [pictures, adjustments.straighten],
  );
  const fitted = fit(frame, stage, stage.width < 600 ? 0 : 24);
  const view = wish ? held(wish, frame, stage) : fitted;
  const [left, right, top, bottom] = extent(view, frame, stage);
  const compares = pictures !== null && (pictures.after !== null || !isNeutral(adjustments));
  const line = left + divider * (right - left);

  // A photo of its own starts whole.
  useEffect(() => setWish(null), [photo.id]);

  useEffect(() => {
    if (renderer && pictures) renderer.show(pictures.before, pictures.after);
  }, [renderer, pictures]);

  useEffect(() => {
    const surface = canvas.current;
    if (!renderer || !pictures || !surface || stage.width === 0) return;
    const density = Math.min(window.devicePixelRatio || 1, 2);
    const [width, height] = [Math.round(stage.width * density), Math.round(stage.height * density)];
    const request = requestAnimationFrame(() => {
      if (surface.width !== width) surface.width = width;
      if (surface.height !== height) surface.height = height;
      renderer.draw({
        scale: view.scale * density,
        centre: view,
        divider: compares ? line * density : width,
        before: pictures.beforeSize,
        after: pictures.afterSize,
        frame,
        blend: blendOf(photo, pictures.beforeSize, pictures.afterSize),
        adjustments,
      });
    });
    return () => cancelAnimationFrame(request);
  });

  const zoomAt = useCallback(
    (factor: number, px = 0, py = 0) => {
      const next = zoomed(view, factor, Math.min(fitted.scale, 1), px, py);
      setWish(next.scale <= fitted.scale && factor < 1 ? null : next);
    },
    [view, fitted],
  );
  const gestures = useGestures(box, {
    view,
    zoomAt,
    move: setWish,
    slide: (x) => compares && setDivider(share(x, left, right)),
  });

  function onKeyDown(event: React.KeyboardEvent): void {
    const pans: Record<string, [number, number]> = {
      ArrowLeft: [-PAN_STEP_PX, 0],
      ArrowRight: [PAN_STEP_PX, 0],
      ArrowUp: [0, -PAN_STEP_PX],
      ArrowDown: [0, PAN_STEP_PX],
    };
    const pan = pans[event.key];
    if (event.key === "+" || event.key === "=") zoomAt(ZOOM_STEP);
    else if (event.key === "-") zoomAt(1 / ZOOM_STEP);
    else if (event.key === "0") setWish(null);
    else if (event.key === "1") zoomAt(1 / view.scale);
    else if (pan && wish)
      setWish({ ...view, x: view.x + pan[0] / view.scale, y: view.y + pan[1] / view.scale });
    else return;
    event.preventDefault();
  }

  const busy = isBusy(photo);
  const caption = compares ? words.picture(photo.name) : words.onlyBefore(photo.name);
  return (
    <div
      ref={box}
      className={`stage ${wish ? "zoomed" : "fitted"}`}
      role="group"
      aria-label={words.compare}
      aria-busy={busy}
      tabIndex={0}
      onKeyDown={onKeyDown}
      {...gestures}
    >
      <canvas ref={canvas} role="img" aria-label={caption} hidden={!pictures} />
      {busy && <div className="stage-progress" />}
      {compares && (
        <>
          <span className="tag" style={{ left: left + 12, top: top + 12 }} hidden={line - left < 70}>
            {words.before}
          </span>
          <span
            className="tag"
            style={{ right: stage.width - right + 12, top: top + 12 }}
            hidden={right - line < 70}
          >
            {words.after}
          </span>
          <Divider value={divider} x={line} {...{ top, bottom }} onChange={setDivider} />
        </>
      )}
      {pictures && (
        <div className="zoom" onPointerDown={(event) => event.stopPropagation()}>
          <button
            className="icon-button"
            onClick={() => zoomAt(1 / ZOOM_STEP)}
            disabled={wish === null}
            aria-label={words.zoomOut}
            title={words.zoomOut}
          >
            <Icon name="minus" />
          </button>
          <button
            className="zoom-value"
            onClick={() => (wish ? setWish(null) : zoomAt(1 / view.scale))}
            title={wish ? words.zoomFit : words.zoomActual}
          >
            <span className="unseen">{wish ? words.zoomFit : words.zoomActual}, </span>
            {Math.round(view.scale * 100)} %
          </button>
          <button
            className="icon-button"
            onClick={() => zoomAt(ZOOM_STEP)}
            aria-label={words.zoomIn}
            title={words.zoomIn}
          >
            <Icon name="plus" />
          </button>
        </div>
      )}
    </div>
  );
}

/** How much of `after` is shown while the strength slider is ahead of the service. */
function blendOf(photo: Photo, before: Size, after: Size): number {
  const made = resultOf(photo);
  if (!made || made.strength === 0 || made.strength === photo.strength) return 1;
  if (before.width !== after.width || before.height !== after.height) return 1;
  return photo.strength / made.strength;
}

function share(x: number, left: number, right: number): number {
  return Math.min(1, Math.max(0, (x - left) / Math.max(1, right - left)));
}

function useRenderer(): [Renderer | null, React.RefObject<HTMLCanvasElement | null>] {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [renderer, setRenderer] = useState<Renderer | null>(null);
  useEffect(() => {
    if (!canvas.current) return;
    const made = webglRenderer(canvas.current) ?? canvasRenderer(canvas.current);
    setRenderer(made);
    return () => made.destroy();
  }, []);
  return [renderer, canvas];
}

function useSizeOf(box: React.RefObject<HTMLElement | null>): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => setSize({ width: element.clientWidth, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, [box]);
  return size;
}
