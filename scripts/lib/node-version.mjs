// Refuses a Node that is too old, in words, before anything that it could not even parse is loaded.
// Keep this file plain: old versions must be able to read it.
const NEEDED = [20, 19];

const parts = process.versions.node.split('.').map(Number);
if (parts[0] < NEEDED[0] || (parts[0] === NEEDED[0] && parts[1] < NEEDED[1])) {
  console.error(
    `artgan needs Node ${NEEDED.join('.')} or later; this is Node ${process.versions.node} (${process.execPath}). ` +
      "Install a newer one (a version manager, or the system's packages), then run this again.",
  );
  process.exit(1);
}
