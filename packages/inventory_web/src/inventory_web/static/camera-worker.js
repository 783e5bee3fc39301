"use strict";
// Decodes camera frames in a worker to keep the page responsive.

let reader = null;

// The library logs a warning for every frame without a code.
console.warn = () => {};

function begin(address) {
  importScripts(address);
  const { BarcodeFormat: kinds, DecodeHintType: hints, MultiFormatReader } = ZXing;
  reader = new MultiFormatReader();
  reader.setHints(
    new Map([
      [hints.TRY_HARDER, true],
      [hints.POSSIBLE_FORMATS, [kinds.QR_CODE, kinds.CODE_128, kinds.EAN_13, kinds.EAN_8, kinds.UPC_A, kinds.UPC_E, kinds.CODE_39, kinds.DATA_MATRIX]],
    ]),
  );
}

function find({ pixels, width, height }) {
  const grey = new Uint8ClampedArray(width * height);
  for (let i = 0, p = 0; i < grey.length; i += 1, p += 4) grey[i] = (pixels[p] * 77 + pixels[p + 1] * 151 + pixels[p + 2] * 28) >> 8;
  const picture = new ZXing.BinaryBitmap(new ZXing.HybridBinarizer(new ZXing.RGBLuminanceSource(grey, width, height)));
  try {
    return reader.decodeWithState(picture).getText();
  } catch {
    // The library throws if the frame contains no code.
    return "";
  } finally {
    reader.reset();
  }
}

addEventListener("message", ({ data }) => {
  if (data.library) begin(data.library);
  else postMessage(find(data));
});
