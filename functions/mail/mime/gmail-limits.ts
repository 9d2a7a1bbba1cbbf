/** Gmail's limits for files: blocked types, and the largest MIME message. */

// support.google.com/mail/answer/6590: "File types you can't include as attachments".
const BLOCKED = new Set(
  `ade adp apk appx appxbundle bat cab chm cmd com cpl diagcab diagcfg diagpkg dll dmg ex ex_ exe hta img ins iso isp jar
  jnlp js jse lib lnk mde mjs msc msi msix msixbundle msp mst nsh pif ps1 scr sct shb sys vb vbe vbs vhd vxd wsc wsf wsh
  xll`.split(/\s+/),
);

/** The file's extension if Gmail refuses emails with such files; null for all others. By name only. */
export function blockedType(filename: string): string | null {
  const extension = /\.([^.]+)$/.exec(filename.replace(/[.\s]+$/, ''))?.[1]?.toLowerCase() ?? '';
  return BLOCKED.has(extension) ? `.${extension}` : null;
}

// Gmail discovery document, users.messages.send, mediaUpload.maxSize.
export const MESSAGE_MAX_BYTES = 36_700_160;

/** The size of that many bytes in base64, with a line break after every 76 characters. */
export const encodedSize = (bytes: number): number => Math.ceil(bytes / 57) * 78;
