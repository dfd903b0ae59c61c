import { GONE, LOST } from "../../shared/model";

/** Does the banner of the kernel say so already? */
export const isBanner = (said: string): boolean => said === GONE || said === LOST;

interface RefusalProps {
  said: string | undefined;
}

/** Why something cannot be fetched; in few words where the banner has many. */
export const Refusal = ({ said }: RefusalProps) =>
  said ? <p class="cnnw-tm-refusal">{isBanner(said) ? "Not fetched before." : said}</p> : null;
