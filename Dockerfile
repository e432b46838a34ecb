# The runtime alone, without torch: make image, then
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/data" vaecodec compress photograph.jpg photograph.vae
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY vaecodec vaecodec
COPY cli cli
COPY wheel_build wheel_build
RUN pip wheel --no-deps --wheel-dir /wheels .

FROM python:3.13-slim
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels pip install --no-cache-dir /wheels/vaecodec-*.whl
WORKDIR /data
ENTRYPOINT ["vaecodec"]
CMD ["--help"]
