import { keepOffline } from "./shared/offline.ts";

void keepOffline();
