export { type GradCam, type GradCamOptions, gradCam } from "./grad-cam.ts";
export { lastSpatialLayer } from "./layers.ts";
