export {
  type AnyOp,
  allOps,
  checkGradients,
  type Exception,
  type GradcheckOptions,
  type GradcheckRow,
  type GradientCheck,
  gradcheckExceptions,
  gradcheckTable,
  TOLERANCE,
  withWrongGradient,
} from "./gradcheck.ts";
