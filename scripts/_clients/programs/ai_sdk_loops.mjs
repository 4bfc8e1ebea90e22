// Tool loops over the Vercel AI SDK: generateText and streamText.
import { execSync } from "node:child_process";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";

const perilune = createOpenAICompatible({
  name: "perilune",
  baseURL: process.env.GATEWAY + "/v1",
  apiKey: "perilune-local",
  includeUsage: true,
});
const bash = tool({
  description: "Runs a command.",
  inputSchema: jsonSchema({
    type: "object",
    properties: { command: { type: "string" } },
    required: ["command"],
  }),
  execute: async ({ command }) => execSync(command, { shell: "/bin/sh" }).toString(),
});
const asked = {
  model: perilune("kimi-k2.6"),
  prompt: "run echo tool-$((40+2))",
  tools: { bash },
  stopWhen: stepCountIs(3),
  maxRetries: 0,
};

console.log("whole", (await generateText(asked)).text);
let said = "";
const streamed = streamText(asked);
for await (const text of streamed.textStream) said += text;
if (!((await streamed.usage).totalTokens > 0)) throw new Error("no usage");
console.log("streamed", said);
