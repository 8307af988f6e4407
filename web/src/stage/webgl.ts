/** The stage on the graphics processor: sliders cost nothing but a redraw. */

import { gains } from "../adjust.ts";
import type { Renderer, Scene } from "./scene.ts";

const MAX_SIDE_PX = 4096; // 64 MB a picture; on most screens still more than is shown

const CORNERS = `#version 300 es
void main() {
  // One triangle that covers the canvas.
  gl_Position = vec4(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0, 0.0, 1.0);
}`;

// The formulas of darkroom/imaging/adjust.py, in its order.
const PIXELS = `#version 300 es
precision highp float;
uniform sampler2D before, after;
uniform vec2 canvas, centre, frame, beforeSize, afterSize, turn;
uniform float scale, divider, blend, contrast, colour;
uniform vec3 gains;
out vec4 shown;

vec3 adjusted(vec3 v) {
  vec3 light = mix(pow((v + 0.055) / 1.055, vec3(2.4)), v / 12.92, lessThanEqual(v, vec3(0.04045)));
  vec3 lit = gains * light / (1.0 + max(gains - 1.0, 0.0) * light);
  vec3 s = mix(1.055 * pow(lit, vec3(1.0 / 2.4)) - 0.055, lit * 12.92,
               lessThanEqual(lit, vec3(0.0031308)));
  s += contrast * (3.0 * s * s - 2.0 * s * s * s - s);
  float luma = dot(s, vec3(0.2126, 0.7152, 0.0722));
  return clamp(luma + colour * (s - luma), 0.0, 1.0);
}

void main() {
  vec2 at = vec2(gl_FragCoord.x, canvas.y - gl_FragCoord.y);
  vec2 point = (at - canvas / 2.0) / scale + centre;
  vec2 turned = vec2(turn.x * point.x + turn.y * point.y, turn.x * point.y - turn.y * point.x);
  vec4 old = texture(before, point / beforeSize + 0.5);
  vec4 oldTurned = texture(before, turned / beforeSize + 0.5);
  vec4 mended = clamp(mix(oldTurned, texture(after, turned / afterSize + 0.5), blend), 0.0, 1.0);
  vec4 new = vec4(adjusted(mended.rgb), mended.a);
  vec4 side = at.x < divider ? old : new;
  vec2 beyond = abs(point) - (at.x < divider ? min(frame, beforeSize) : frame) / 2.0;
  float inside = max(beyond.x, beyond.y) < 0.0 ? 1.0 : 0.0;
  shown = vec4(side.rgb * side.a, side.a) * inside;
}`;

export function webglRenderer(canvas: HTMLCanvasElement): Renderer | null {
  // Kept, so that a picture of the page shows the photo too.
  const gl = canvas.getContext("webgl2", { antialias: false, preserveDrawingBuffer: true });
  if (!gl) return null;
  const program = link(gl);
  if (!program) return null;
  gl.useProgram(program);
  gl.bindVertexArray(gl.createVertexArray());
  const uniform = (name: string) => gl.getUniformLocation(program, name);
  const at = Object.fromEntries(
    [
      ...["canvas", "centre", "frame", "beforeSize", "afterSize", "turn", "gains"],
      ...["scale", "divider", "blend", "contrast", "colour"],
    ].map((name) => [name, uniform(name)]),
  );
  gl.uniform1i(uniform("before"), 0);
  gl.uniform1i(uniform("after"), 1);
  const textures = [gl.createTexture(), gl.createTexture()];

  function upload(unit: 0 | 1, picture: ImageBitmap): void {
    if (!gl) return;
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(gl.TEXTURE_2D, textures[unit] ?? null);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, picture);
    gl.generateMipmap(gl.TEXTURE_2D);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  }

  return {
    maxSide: Math.min(MAX_SIDE_PX, gl.getParameter(gl.MAX_TEXTURE_SIZE) as number),
    show(before, after) {
      upload(0, before);
      upload(1, after ?? before);
    },
    draw(scene: Scene) {
      const angle = (scene.adjustments.straighten * Math.PI) / 180;
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.uniform2f(at.canvas!, canvas.width, canvas.height);
      gl.uniform2f(at.centre!, scene.centre.x, scene.centre.y);
      gl.uniform2f(at.frame!, scene.frame.width, scene.frame.height);
      gl.uniform2f(at.beforeSize!, scene.before.width, scene.before.height);
      gl.uniform2f(at.afterSize!, scene.after.width, scene.after.height);
      gl.uniform2f(at.turn!, Math.cos(angle), Math.sin(angle));
      gl.uniform3f(at.gains!, ...gains(scene.adjustments));
      gl.uniform1f(at.scale!, scene.scale);
      gl.uniform1f(at.divider!, scene.divider);
      gl.uniform1f(at.blend!, scene.blend);
      gl.uniform1f(at.contrast!, scene.adjustments.contrast);
      gl.uniform1f(at.colour!, 1 + scene.adjustments.saturation);
      // Enlarged three times and more, single pixels are what one wants to see.
      const enlarged = scene.scale > 3 ? gl.NEAREST : gl.LINEAR;
      for (const unit of [0, 1]) {
        gl.activeTexture(gl.TEXTURE0 + unit);
        gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, enlarged);
      }
      gl.drawArrays(gl.TRIANGLES, 0, 3);
    },
    destroy() {
      for (const texture of textures) gl.deleteTexture(texture);
      gl.deleteProgram(program);
    },
  };
}

function link(gl: WebGL2RenderingContext): WebGLProgram | null {
  const program = gl.createProgram();
  const shaders: [number, string][] = [
    [gl.VERTEX_SHADER, CORNERS],
    [gl.FRAGMENT_SHADER, PIXELS],
  ];
  for (const [kind, source] of shaders) {
    const shader = gl.createShader(kind);
    if (!shader) return null;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : null;
}
