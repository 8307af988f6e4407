import { Icon } from "./icons.tsx";
import { resultOf, type Photo } from "./photo.ts";
import { useWords } from "./preferences.tsx";
import { degree } from "./telling.ts";

/** What is wrong with the photo: a chip for each defect, with how bad it is. */
export function Diagnosis({ photo }: { photo: Photo }) {
  const words = useWords();
  const { diagnosis } = photo;
  const mended = new Set(resultOf(photo)?.report.steps.flatMap((step) => step.defects));
  if (!diagnosis && photo.phase === "failed") return null;
  return (
    <section>
      <h3>{words.diagnosis}</h3>
      <ul className="chips" aria-busy={!diagnosis}>
        {!diagnosis && [1, 2].map((n) => <li key={n} className="chip blank" aria-hidden="true" />)}
        {diagnosis && photo.found.length === 0 && (
          <li className="chip fine">
            <Icon name="check" />
            {words.allGood}
          </li>
        )}
        {diagnosis &&
          photo.found.map((defect) => {
            const level = degree(diagnosis, defect);
            const how = [words.slight, words.clear_, words.strong][level - 1];
            return (
              <li key={defect} className="chip" data-degree={level} title={how}>
                <span className="meter" aria-hidden="true">
                  <i />
                  <i />
                  <i />
                </span>
                {words.defects[defect]}
                <span className="unseen">: {how}</span>
                {mended.has(defect) && (
                  <>
                    <Icon name="check" />
                    <span className="unseen">, {words.mended}</span>
                  </>
                )}
              </li>
            );
          })}
      </ul>
    </section>
  );
}
