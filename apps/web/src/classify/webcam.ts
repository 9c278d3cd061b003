import { InputError } from "@tfjs-zoo/models";
import { drawn } from "../shared/picture.ts";

/** A camera that gives pictures until it is stopped. */
export class Webcam {
  private constructor(
    private readonly stream: MediaStream,
    private readonly video: HTMLVideoElement,
  ) {}

  /**
   * Asks for the camera and starts it.
   *
   * @throws InputError when there is none, it may not be used, or its pictures do not play; it is off then
   */
  static async start(): Promise<Webcam> {
    if (!navigator.mediaDevices) throw new InputError("The webcam needs a page from https or localhost");
    let stream: MediaStream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 } });
    } catch (error) {
      const { name } = error as DOMException;
      if (name === "NotAllowedError") throw new InputError("The browser was told not to let this page use the webcam");
      if (name === "NotFoundError") throw new InputError("There is no webcam on this device");
      throw new InputError("The webcam does not start: does another program use it?");
    }
    const video = document.createElement("video");
    video.muted = video.playsInline = true;
    video.srcObject = stream;
    const webcam = new Webcam(stream, video);
    try {
      await video.play();
    } catch (error) {
      webcam.stop();
      throw new InputError(`The webcam's pictures can't be shown (${(error as Error).name}): try it again`);
    }
    return webcam;
  }

  /** What it sees now. */
  frame(): HTMLCanvasElement {
    return drawn(this.video, this.video.videoWidth, this.video.videoHeight);
  }

  stop(): void {
    for (const track of this.stream.getTracks()) track.stop();
    this.video.srcObject = null;
  }
}
