// A customer's program: the types are generated from the service's document, and it is compiled
// strictly. It sets a price, asks for usage, reads every list there is, and tells problems apart.
//
//     node use.js BASE ADMIN_TOKEN CUSTOMER_TOKEN ACCOUNT OPERATOR

import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { argv: string[] };

type Problem = components["schemas"]["Problem"];
type Method = "get" | "put" | "post" | "patch" | "delete";
interface Document {
  paths: Record<string, Partial<Record<Method, { operationId: string; parameters: Parameter[] }>>>;
}
interface Parameter {
  name: string;
  in: string;
  required: boolean;
}

const [, , base, admin, customer, account, operator] = process.argv;

function given(word: string | undefined): string {
  if (word === undefined) throw new Error("a word is missing");
  return word;
}

const caller = (token: string | undefined) =>
  createClient<paths>({
    baseUrl: given(base),
    headers: { authorization: `Bearer ${given(token)}` },
  });

function expect(holds: boolean, what: string, seen: unknown): asserts holds {
  if (!holds) throw new Error(`${what}: ${JSON.stringify(seen)}`);
}

const api = caller(admin);

const price = await api.POST("/v1/admin/pricing", {
  body: {
    accountTier: "GROWTH",
    operatorId: given(operator),
    pricingModel: "PER_SEGMENT",
    unitPrice: "0.045",
    currency: "EUR",
  },
});
expect(price.data !== undefined, "the price is open", price);
const id: string = price.data.pricingTableId;
const shown = await api.GET("/v1/admin/pricing/{pricingTableId}", {
  params: { path: { pricingTableId: id } },
});
expect(shown.data?.unitPrice === "0.045000", "the price is shown", shown);

const query = { from: "2026-03-01", to: "2026-03-31", accountId: given(account) } as const;
const usage = await caller(customer).GET("/v1/billing/usage", { params: { query } });
expect(usage.data?.accountId === account, "usage is told", usage);

const nowhere = { accountId: crypto.randomUUID() };
const absent = await api.GET("/v1/admin/accounts/{accountId}", { params: { path: nowhere } });
const problem: Problem | undefined = absent.error;
expect(problem?.code === "not_found" && problem.status === 404, "it is not there", absent);

// Every question that needs nothing to be named, whatever there will be.
const answer = await fetch(`${given(base)}/openapi.json`);
const document = (await answer.json()) as Document;
let asked = 0;
for (const [path, methods] of Object.entries(document.paths)) {
  const question = methods.get;
  if (question === undefined || question.parameters.some((parameter) => parameter.required)) continue;
  const told = await api.GET(path as "/v1/admin/pricing", {});
  expect(told.response.ok || told.response.status === 403, question.operationId, told.error);
  asked += 1;
}
expect(asked >= 4, "lists are read", asked);
console.log(`asked ${asked}`);
