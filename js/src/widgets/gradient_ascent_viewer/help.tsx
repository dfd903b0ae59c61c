import { KeyHelp } from "../../shared/key_help";
import { HELP } from "./keyboard";
import { useAscent } from "./state";

export const Help = () => <KeyHelp open={useAscent().helping} meanings={HELP} />;
