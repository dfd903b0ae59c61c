import { KeyHelp } from "../../shared/key_help";
import { MARKS } from "../../shared/look";
import { HELP } from "./keyboard";
import { FAMILIES } from "./kinds";
import { Mark } from "./mark";
import { useBrowser } from "./state";

const SIGNS = FAMILIES.map(([what], i) => [<Mark key={what} color={MARKS[i]} />, what] as const);

export const Help = () => (
  <KeyHelp title="Keys and marks" open={useBrowser().helping} meanings={[...HELP, ...SIGNS]} />
);
