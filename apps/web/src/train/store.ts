import type { Kept } from "./protocol.ts";

const [DATABASE, STORE, KEY] = ["tfjs-zoo", "trainings", "last"];

/** The training that this browser keeps, if there is one. */
export const keptTraining = (): Promise<Kept | undefined> => withStore("readonly", (store) => store.get(KEY));

/** Keeps a training in this browser, in place of the one before. */
export const keepTraining = (kept: Kept): Promise<unknown> => withStore("readwrite", (store) => store.put(kept, KEY));

export const forgetTraining = (): Promise<unknown> => withStore("readwrite", (store) => store.delete(KEY));

async function withStore<T>(mode: IDBTransactionMode, use: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await settled(opening);
  try {
    return await settled(use(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
