// Which wheels TensorFlow comes from: exact versions, with the SHA-256 that pip must find. The NVIDIA ones are those
// that this TensorFlow's extra `and-cuda` names, in one CUDA 12.9 family (driver 525 or later).

/**
 * @typedef {object} Wheel
 * @property {string} name
 * @property {string} version
 * @property {string} platform  the platform tag that pip is asked for
 * @property {number} bytes
 * @property {string} sha256
 */

export const TENSORFLOW = '2.21.0';
export const PYTHON = { version: '3.12', abi: 'cp312' };

const TABLE = `
x64-cpu   tensorflow-cpu           2.21.0     manylinux_2_27_x86_64  274000871 dcc8afd32930e42d5296b6ee19078b773706830af4ea97fbe503b9f5e0f820cb
arm64-cpu tensorflow               2.21.0     manylinux_2_27_aarch64 281946471 b07d15737406533898e36c7ef7944b1be18e9028dc521b9229952c537bbc5552
x64-gpu   tensorflow               2.21.0     manylinux_2_27_x86_64  572611111 b3b95643c4e70eb925839938fb35cbe142f317ec84af6844ee61513713bb13c0
x64-gpu   nvidia-cublas-cu12       12.9.3.13  manylinux_2_27_x86_64  581217458 d7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72
x64-gpu   nvidia-cuda-cupti-cu12   12.9.79    manylinux_2_25_x86_64   10814997 096bcf334f13e1984ba36685ad4c1d6347db214de03dbb6eebb237b41d9d934f
x64-gpu   nvidia-cuda-nvcc-cu12    12.9.86    manylinux2010_x86_64    40546229 5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0
x64-gpu   nvidia-cuda-nvrtc-cu12   12.9.86    manylinux2010_x86_64    89568129 210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4
x64-gpu   nvidia-cuda-runtime-cu12 12.9.79    manylinux2014_x86_64     3493179 25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3
x64-gpu   nvidia-cudnn-cu12        9.28.0.42  manylinux_2_27_x86_64  716538495 9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375
x64-gpu   nvidia-cufft-cu12        11.4.1.4   manylinux2014_x86_64   200877592 c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28
x64-gpu   nvidia-curand-cu12       10.3.10.19 manylinux_2_27_x86_64   68295626 49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e
x64-gpu   nvidia-cusolver-cu12     11.7.5.82  manylinux_2_27_x86_64  338117415 15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88
x64-gpu   nvidia-cusparse-cu12     12.5.10.65 manylinux2014_x86_64   366465088 73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78
x64-gpu   nvidia-nccl-cu12         2.32.3     manylinux_2_27_x86_64  351526311 bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c
x64-gpu   nvidia-nvjitlink-cu12    12.9.86    manylinux2010_x86_64    39748338 e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9
`;

/** By Node's name of the processor and `cpu` or `gpu`, all for Linux. @type {Record<string, Wheel[]>} */
export const WHEELS = {};
for (const line of TABLE.trim().split('\n')) {
  const [variant = '', name = '', version = '', platform = '', bytes = '', sha256 = ''] = line.split(/ +/);
  WHEELS[variant] ??= [];
  WHEELS[variant].push({ name, version, platform, bytes: Number(bytes), sha256 });
}
