import type { Report } from "./contracts.ts";
import { Icon } from "./icons.tsx";
import { isBusy, resultOf, type Photo } from "./photo.ts";
import { photos } from "./photos.ts";
import { useWords } from "./preferences.tsx";
import { told, toldFailure, toldSkipped } from "./telling.ts";

// What is wrong with the file itself: asking again would change nothing.
const HOPELESS = new Set([
  "unsupported_photo",
  "unreadable_photo",
  "too_many_pixels",
  "payload_too_large",
  "photo_too_large",
]);

/** What the service did, in words; or what went wrong and what to do about it. */
export function Outcome({ photo }: { photo: Photo }) {
  const words = useWords();
  const result = resultOf(photo);
  if (photo.failure) {
    const slow = photo.failure === "out_of_time";
    const hopeless = HOPELESS.has(photo.failure);
    return (
      <div className="notice bad" role="alert">
        <p>{toldFailure(photo.failure, words)}</p>
        <button
          className="button small"
          onClick={() => (hopeless ? photos.remove(photo.id) : photos.run(photo.id, slow))}
        >
          {hopeless ? words.removeIt : slow ? words.moreTime : words.again}
        </button>
      </div>
    );
  }
  if (!result) return <div className="outcome blank" aria-hidden="true" />;
  const { report } = result;
  const skipped = toldSkipped(report, words);
  const fine = result.photo === null && skipped.length === 0;
  return (
    <div className="outcome" aria-busy={isBusy(photo)}>
      {(result.photo || fine) && (
        <p className="outcome-told">
          <Icon name={fine ? "check" : "sparkle"} />
          {fine ? words.nothingToMend : told(report, words)}
        </p>
      )}
      {skipped.map((line) => (
        <p key={line} className="outcome-skipped">
          {line}
        </p>
      ))}
      {report.skipped.some((step) => step.reason === "no_time") && (
        <button className="button small" onClick={() => photos.run(photo.id, true)}>
          <Icon name="clock" />
          {words.moreTime}
        </button>
      )}
      <Details report={report} />
    </div>
  );
}

function Details({ report }: { report: Report }) {
  const words = useWords();
  const { diagnose_ms, diagnosed_by } = report;
  const rows: [string, number, string][] = [];
  if (diagnose_ms !== null && diagnosed_by)
    rows.push([words.looked, diagnose_ms, `${diagnosed_by.model} ${diagnosed_by.version}`]);
  for (const { enhancer, ms, by } of report.steps)
    rows.push([words.enhancers[enhancer] ?? enhancer, ms, `${by.model} ${by.version}`]);
  if (report.colorized) {
    const { ms, by } = report.colorized;
    rows.push([words.mode.colorize, ms, [by.notes.model ?? by.model, by.version].join(" ")]);
  }
  rows.push([words.total, report.total_ms, ""]);
  return (
    <details>
      <summary>{words.details}</summary>
      <table>
        <thead>
          <tr>
            <th scope="col">{words.step}</th>
            <th scope="col">{words.model}</th>
            <th scope="col">{words.time}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([step, ms, model]) => (
            <tr key={step}>
              <td>{step}</td>
              <td>{model}</td>
              <td>{words.milliseconds(ms)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
