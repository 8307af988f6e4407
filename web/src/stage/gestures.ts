/** Mouse, pen and fingers on the stage: slide the divider, pan, pinch, turn the wheel. */

import { useEffect, useRef } from "react";
import { panned, type View } from "./view.ts";

interface Actions {
  view: View;
  zoomAt: (factor: number, px: number, py: number) => void;
  move: (view: View) => void;
  slide: (x: number) => void;
}

interface Point {
  x: number;
  y: number;
}

type PointerHandlers = Pick<
  React.DOMAttributes<HTMLElement>,
  "onPointerDown" | "onPointerMove" | "onPointerUp" | "onPointerCancel" | "onDoubleClick"
>;

export function useGestures(
  box: React.RefObject<HTMLElement | null>,
  actions: Actions,
): PointerHandlers {
  const latest = useRef(actions);
  latest.current = actions;
  const fingers = useRef(new Map<number, Point>());
  const slides = useRef(false);

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    // Added by hand: React's own wheel listener may not prevent the page from scrolling.
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const [px, py] = fromMiddle(element, event);
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      latest.current.zoomAt(Math.exp(-event.deltaY * lines * 0.0015), px, py);
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => element.removeEventListener("wheel", onWheel);
  }, [box]);

  return {
    onPointerDown(event) {
      const element = box.current;
      if (!element || event.button !== 0) return;
      element.setPointerCapture(event.pointerId);
      fingers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
      const onDivider = (event.target as Element).closest("[data-divider]") !== null;
      slides.current = onDivider || latest.current.view.fitted;
      if (slides.current && fingers.current.size === 1) slideTo(element, event.clientX);
    },
    onPointerMove(event) {
      const element = box.current;
      const was = fingers.current.get(event.pointerId);
      if (!element || !was) return;
      const now = { x: event.clientX, y: event.clientY };
      if (fingers.current.size === 2) pinch(element, event.pointerId, was, now);
      else if (slides.current) slideTo(element, event.clientX);
      else latest.current.move(panned(latest.current.view, now.x - was.x, now.y - was.y));
      fingers.current.set(event.pointerId, now);
    },
    onPointerUp: (event) => void fingers.current.delete(event.pointerId),
    onPointerCancel: (event) => void fingers.current.delete(event.pointerId),
    onDoubleClick(event) {
      const element = box.current;
      if (!element || (event.target as Element).closest("button")) return;
      const { view, zoomAt } = latest.current;
      const [px, py] = fromMiddle(element, event);
      zoomAt(view.fitted ? Math.max(1, 2 * view.scale) / view.scale : 1e-3, px, py);
    },
  };

  function slideTo(element: HTMLElement, x: number): void {
    latest.current.slide(x - element.getBoundingClientRect().left);
  }

  function pinch(element: HTMLElement, id: number, was: Point, now: Point): void {
    const other = [...fingers.current].find(([key]) => key !== id)?.[1];
    if (!other) return;
    const factor = distance(other, now) / Math.max(1, distance(other, was));
    const middle = { clientX: (other.x + now.x) / 2, clientY: (other.y + now.y) / 2 };
    latest.current.zoomAt(factor, ...fromMiddle(element, middle));
  }
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

function fromMiddle(
  element: HTMLElement,
  { clientX, clientY }: { clientX: number; clientY: number },
): [number, number] {
  const { left, top, width, height } = element.getBoundingClientRect();
  return [clientX - left - width / 2, clientY - top - height / 2];
}
