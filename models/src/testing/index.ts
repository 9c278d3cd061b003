export {
  type AnyOp,
  allOps,
  BF16_TOLERANCE,
  type Bf16,
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
export { checkPenalties, type PenaltyCheck } from "./penalty-check.ts";
