// tensorflowjs_converter makes a graph model of the SavedModel; @tensorflow/tfjs runs it in Node, on its CPU backend.
// Cases and results as answers.py describes them.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [, , cases, converter, modules] = process.argv;
const tf = createRequire(join(modules, "package.json"))("@tensorflow/tfjs");
const [RTOL, ATOL] = [1e-4, 1e-5];

function converted(folder) {
  const target = mkdtempSync(join(tmpdir(), "tfjs-"));
  const options = ["--input_format=tf_saved_model", "--output_format=tfjs_graph_model", "--signature_name=serving_default"];
  execFileSync(converter, [...options, folder, target], { stdio: ["ignore", "pipe", "pipe"] });
  return target;
}

async function load(folder) {
  const target = converted(folder);
  const { modelTopology, weightsManifest, signature } = JSON.parse(readFileSync(join(target, "model.json"), "utf8"));
  const bytes = Buffer.concat(weightsManifest.flatMap((group) => group.paths.map((path) => readFileSync(join(target, path)))));
  const weightSpecs = weightsManifest.flatMap((group) => group.weights);
  const weightData = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  const model = await tf.loadGraphModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData, signature }));
  return { model, signature };
}

// The converter calls some inputs by the signature's name, some by the tensor's.
const entry = (entries, name) => entries[name] ?? entries[`${name}:0`];

async function compared(folder, batches) {
  const { model, signature } = await load(folder);
  let [error, share] = [0, 0];
  for (const batch of batches) {
    const feed = {};
    for (const [name, value] of Object.entries(batch.inputs)) {
      feed[entry(signature.inputs, name).name] = tf.tensor(value.values, value.shape, value.dtype);
    }
    const names = Object.keys(batch.outputs);
    const given = await model.executeAsync(feed, names.map((name) => entry(signature.outputs, name).name));
    const tensors = Array.isArray(given) ? given : [given];
    names.forEach((name, index) => {
      const wanted = batch.outputs[name].values;
      if (tensors[index].shape.join() !== batch.outputs[name].shape.join()) {
        throw new Error(`${name} has the shape ${tensors[index].shape} in place of ${batch.outputs[name].shape}`);
      }
      tensors[index].dataSync().forEach((value, position) => {
        if (!Number.isFinite(value)) throw new Error(`${name} is not finite`);
        const apart = Math.abs(value - wanted[position]);
        error = Math.max(error, apart);
        share = Math.max(share, apart / (ATOL + RTOL * Math.abs(wanted[position])));
      });
    });
  }
  return { error, share };
}

await tf.setBackend("cpu");
for (const { name, folder, batches } of JSON.parse(readFileSync(cases, "utf8"))) {
  let found;
  try {
    found = { name, ...(await compared(folder, batches)) };
  } catch (error) {
    const said = String(error.stderr ?? "").trim().split("\n").at(-1) || error.message;
    found = { name, problem: said.replace(/\s+/g, " ") };
  }
  console.log(`RESULT ${JSON.stringify(found)}`);
}
